import type { Redis } from 'ioredis';
import { QUEUE_POLICIES } from '../catalogue/queues';
import type { Config } from '../config';
import { OutboxSignal } from '../outbox/signal';
import type { Logger } from '../platform/logger';
import { Metrics } from '../platform/metrics';
import { Database, type Queryable } from '../platform/postgres/database';
import { connectRedis } from '../platform/redis';
import { JobQueue } from '../queues/queue';

/** The steps of the critical path by name. Tests wrap them to watch a process, and to kill it, around each. */
export type StepName =
  | 'keep lease'
  | 'count start'
  | 'claim'
  | 'enqueue'
  | 'mark not queued'
  | 'answer contested'
  | 'reject'
  | 'ack'
  | 'forget starts'
  | 'run job'
  | 'start'
  | 'start suspect'
  | 'read ledger'
  | 'begin effect'
  | 'call provider'
  | 'settle'
  | 'append outcome'
  | 'read outbox'
  | 'publish'
  | 'mark published'
  | 'leave marker'
  | 'remember marker'
  | 'hand over again'
  | 'take waiting'
  | 'feed'
  | 'cancel'
  | 'replay';

export type Step = (...args: never[]) => Promise<unknown>;
export type Decorate = <Wrapped extends Step>(name: StepName, step: Wrapped) => Wrapped;

/** What all roles of a process share. */
export interface Foundation {
  config: Config;
  log: Logger;
  metrics: Metrics;
  database: Database;
  moneyRedis: Redis;
  moneyQueue: JobQueue;
  /** Before every Redis key of the money tier. */
  moneyPrefix: string;
  outboxSignal: OutboxSignal;
  decorate: Decorate;
}

export function layFoundation(config: Config, log: Logger, decorate: Decorate): Foundation {
  const metrics = new Metrics();
  const database = new Database(config.database, log);
  const moneyRedis = connectRedis(config.redis.moneyUrl, log, config.redis.commandTimeoutMs);
  const moneyPrefix = `${config.redis.prefix}:{money}`;
  const moneyQueue = new JobQueue(
    moneyRedis,
    { name: QUEUE_POLICIES.money.queueName, prefix: moneyPrefix, timeoutMs: config.redis.commandTimeoutMs },
    log,
  );
  const outboxSignal = new OutboxSignal(database, log);
  return { config, log, metrics, database, moneyRedis, moneyQueue, moneyPrefix, outboxSignal, decorate };
}

/** The database as leases use it. */
export function leaseDatabase({ database, decorate }: Foundation): Queryable {
  return { query: decorate<Queryable['query']>('keep lease', database.query.bind(database)) };
}

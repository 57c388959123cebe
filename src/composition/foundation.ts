import type { Redis } from 'ioredis';
import { QUEUE_POLICIES } from '../catalogue/queues';
import type { Config } from '../config';
import type { LowerTier, Tier } from '../contract/names';
import { VolatileJobs } from '../jobs/volatile/store';
import { OutboxSignal } from '../outbox/signal';
import type { Logger } from '../platform/logger';
import { Metrics } from '../platform/metrics';
import { Database, type Queryable } from '../platform/postgres/database';
import { connectRedis } from '../platform/redis';
import { JobQueue } from '../queues/queue';
import { composeCallbacks, type Callbacks } from './callbacks';

/** The steps of the critical path by name. Tests wrap them to watch a process, and to kill it, around each. */
export type StepName =
  | 'keep lease'
  | 'count start'
  | 'claim'
  | 'confirm'
  | 'enqueue'
  | 'prolong'
  | 'note accepted'
  | 'mark not queued'
  | 'answer contested'
  | 'reject'
  | 'detour'
  | 'ack'
  | 'forget starts'
  | 'ask limiter'
  | 'run job'
  | 'start'
  | 'start suspect'
  | 'read ledger'
  | 'begin effect'
  | 'call provider'
  | 'settle'
  | 'append outcome'
  | 'hand over next'
  | 'put back'
  | 'forget finished'
  | 'read outbox'
  | 'publish'
  | 'mark published'
  | 'leave marker'
  | 'remember marker'
  | 'hand over again'
  | 'take waiting'
  | 'feed'
  | 'cancel'
  | 'replay'
  | 'settle doubt'
  | 'take report';

export type Step = (...args: never[]) => Promise<unknown>;
export type Decorate = <Wrapped extends Step>(name: StepName, step: Wrapped) => Wrapped;

/** The Redis of a tier. */
export interface TierStore {
  redis: Redis;
  url: string;
  queue: JobQueue;
  /** Before every key. The tier stands in braces, so that a cluster keeps all of them in one slot. */
  prefix: string;
}

/** The Redis of a lower tier, which also is all that remembers its open jobs. */
export interface VolatileTierStore extends TierStore {
  jobs: VolatileJobs;
}

/** What all roles of a process share. */
export interface Foundation {
  config: Config;
  log: Logger;
  metrics: Metrics;
  database: Database;
  tiers: { money: TierStore } & Record<LowerTier, VolatileTierStore>;
  outboxSignal: OutboxSignal;
  /** How outcomes are published. */
  callbacks: Callbacks;
  decorate: Decorate;
}

export function layFoundation(config: Config, log: Logger, decorate: Decorate): Foundation {
  const metrics = new Metrics();
  const database = new Database(config.database, log);
  const outboxSignal = new OutboxSignal(database, log);
  const tiers = {
    money: openTier('money', config, log),
    communication: openVolatileTier('communication', config, log),
    background: openVolatileTier('background', config, log),
  };
  const callbacks = composeCallbacks(config, database, log);
  return { config, log, metrics, database, tiers, outboxSignal, callbacks, decorate };
}

function openTier(tier: Tier, { redis: options }: Config, log: Logger): TierStore {
  const url = options.urls[tier];
  const prefix = `${options.prefix}:{${tier}}`;
  const redis = connectRedis(url, log, options.commandTimeoutMs);
  const { queueName, keepInRedis } = QUEUE_POLICIES[tier];
  const queue = new JobQueue(
    redis,
    { name: queueName, prefix, timeoutMs: options.commandTimeoutMs, keep: keepInRedis },
    log,
  );
  return { redis, url, queue, prefix };
}

function openVolatileTier(tier: LowerTier, config: Config, log: Logger): VolatileTierStore {
  const store = openTier(tier, config, log);
  return { ...store, jobs: new VolatileJobs(store.redis, tier, store.prefix) };
}

/** The database as leases use it. */
export function leaseDatabase({ database, decorate }: Foundation): Queryable {
  return { query: decorate<Queryable['query']>('keep lease', database.query.bind(database)) };
}

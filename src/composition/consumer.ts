import type { Channel } from 'amqplib';
import { QUEUES, TIERS, type LowerTier, type Tier } from '../contract/names';
import { RequestConsumer } from '../intake/request-consumer';
import { countStart, forgetStarts } from '../jobs/dead-letters';
import { publishBatch } from '../outbox/publish-batch';
import type { Component } from '../platform/lifecycle';
import { RabbitConnection } from '../platform/rabbitmq/connection';
import { Consumer, consumerMetrics, type Delivery } from '../platform/rabbitmq/consumer';
import { Publisher, type OutgoingMessage } from '../platform/rabbitmq/publisher';
import { UnavailableError } from '../platform/unavailable';
import { refusalOfWrites } from '../queues/write-probe';
import { declareTopology } from '../topology/assert';
import type { Foundation } from './foundation';
import type { IntakeRoom } from './intake';

export interface ConsumerRole {
  components: Component[];
  /** Closes the channels of what waits for the tier, until the door says that it takes requests again. */
  pause: (tier: Tier) => void;
}

/** Requests from the broker to the intake: one consumer for each queue. */
export function composeConsumer(
  foundation: Foundation,
  door: Pick<IntakeRoom, 'intake' | 'metrics' | 'tierProblem'>,
): ConsumerRole {
  const { config, log, metrics, database } = foundation;
  const connection = new RabbitConnection(config.rabbitmq.url, 'intake', log);
  const instruments = consumerMetrics(metrics);
  const publisher = new Publisher(connection, { name: 'detour', setup: declareTopology });
  const ack = foundation.decorate('ack', (delivery: Delivery) => Promise.resolve(delivery.ack()));
  const detour = foundation.decorate('detour', (messages: OutgoingMessage[]) =>
    publishAll(publisher, messages, config.rabbitmq.confirmTimeoutMs),
  );

  const consumerOf = (queue: string, tier: Tier, suspectAll = false): RequestConsumer => {
    const source = new Consumer(
      connection,
      { queue, prefetch: config.rabbitmq.prefetch, setup: (channel: Channel) => declareTopology(channel) },
      (delivery) => requests.deliver(delivery),
      instruments,
      log,
    );
    const requests: RequestConsumer = new RequestConsumer(
      source,
      { queue, maxBatch: config.intake.maxBatch, suspectAll },
      {
        intake: door.intake,
        ack,
        detour,
        blockedBy: async () =>
          door.tierProblem(tier) ??
          (tier === 'money' ? undefined : await writeProblem(foundation, tier)) ??
          (await databaseProblem(foundation)),
        countStart: foundation.decorate('count start', (key, delivery) =>
          countStart(database, key, delivery.queue, delivery.content),
        ),
        forgetStarts: foundation.decorate('forget starts', (key) => forgetStarts(database, key)),
      },
      door.metrics,
      log,
    );
    return requests;
  };

  // Each tier's own queue waits for that tier. The others may hold requests of every tier, and wait for money alone.
  const queues: { name: string; tier: Tier }[] = [
    ...TIERS.map((tier) => ({ name: QUEUES.requests[tier], tier })),
    { name: QUEUES.otherRequests, tier: 'money' },
    { name: QUEUES.domainEvents, tier: 'money' },
    { name: QUEUES.deadRequests, tier: 'money' },
  ];
  const consumers = queues.map(({ name, tier }) => ({
    name,
    tier,
    consumer: consumerOf(name, tier, name === QUEUES.deadRequests),
  }));
  return {
    components: [
      {
        name: 'intake connection',
        stop: () => connection.close(),
        health: { of: 'broker', check: () => connection.check() },
      },
      { name: 'detour publisher', stop: () => publisher.close() },
      ...consumers.map(({ name, consumer }) => ({
        name: `consumer of ${name}`,
        start: () => Promise.resolve(consumer.start()),
        stop: () => consumer.stop(),
      })),
    ],
    pause: (tier) => {
      for (const one of consumers) if (one.tier === tier) one.consumer.pauseUntilClear();
    },
  };
}

/** @throws unless the broker has confirmed every one of them */
async function publishAll(publisher: Publisher, messages: OutgoingMessage[], timeoutMs: number): Promise<void> {
  const results = await publishBatch(publisher, messages, timeoutMs);
  const failed = results.find((result) => result.status === 'rejected' || result.value !== 'confirmed');
  if (!failed) return;
  throw new UnavailableError('a request could not be sent on to the queue of its tier', {
    cause: failed.status === 'rejected' ? failed.reason : failed.value,
  });
}

/** A Redis may answer and take nothing: its memory or disk is full, or it has become a replica. */
async function writeProblem({ tiers }: Foundation, tier: LowerTier): Promise<string | undefined> {
  const refusal = await refusalOfWrites(tiers[tier].redis, tiers[tier].prefix);
  return refusal === undefined ? undefined : `the Redis of the ${tier} tier refuses writes: ${refusal}`;
}

async function databaseProblem({ database }: Foundation): Promise<string | undefined> {
  try {
    const rows = await database.query<{ read_only: boolean }>({
      text: `SELECT current_setting('transaction_read_only') = 'on' AS read_only`,
    });
    return rows[0]?.read_only ? 'PostgreSQL is read-only' : undefined;
  } catch {
    return 'PostgreSQL does not answer';
  }
}

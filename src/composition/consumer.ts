import type { Channel } from 'amqplib';
import { QUEUES, TIERS } from '../contract/names';
import type { Intake } from '../intake/accept';
import type { IntakeMetrics } from '../intake/metrics';
import { RequestConsumer } from '../intake/request-consumer';
import { countStart, forgetStarts } from '../jobs/dead-letters';
import type { Component } from '../platform/lifecycle';
import { RabbitConnection } from '../platform/rabbitmq/connection';
import { Consumer, consumerMetrics, type Delivery } from '../platform/rabbitmq/consumer';
import { declareTopology } from '../topology/assert';
import type { Foundation } from './foundation';

export interface ConsumerRole {
  components: Component[];
  /** Closes the channels until `blockedBy` says that requests can be taken. */
  pauseAll: () => void;
}

/** Requests from the broker to the intake: one consumer for each queue. */
export function composeConsumer(
  foundation: Foundation,
  door: { intake: Intake; metrics: IntakeMetrics },
  blockedBy: () => string | undefined,
): ConsumerRole {
  const { config, log, metrics, database } = foundation;
  const connection = new RabbitConnection(config.rabbitmq.url, 'intake', log);
  const instruments = consumerMetrics(metrics);
  const ack = foundation.decorate('ack', (delivery: Delivery) => Promise.resolve(delivery.ack()));

  const consumerOf = (queue: string, suspectAll = false): RequestConsumer => {
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
        blockedBy: async () => blockedBy() ?? (await databaseProblem(foundation)),
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

  const consumers = [
    ...[...TIERS.map((tier) => QUEUES.requests[tier]), QUEUES.otherRequests, QUEUES.domainEvents].map((queue) => ({
      name: queue,
      consumer: consumerOf(queue),
    })),
    { name: QUEUES.deadRequests, consumer: consumerOf(QUEUES.deadRequests, true) },
  ];
  return {
    components: [
      { name: 'intake connection', stop: () => connection.close() },
      ...consumers.map(({ name, consumer }) => ({
        name: `consumer of ${name}`,
        start: () => Promise.resolve(consumer.start()),
        stop: () => consumer.stop(),
      })),
    ],
    pauseAll: () => {
      for (const { consumer } of consumers) consumer.pauseUntilClear();
    },
  };
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

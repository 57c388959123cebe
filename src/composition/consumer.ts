import type { Channel } from 'amqplib';
import { QUEUES, TIERS } from '../contract/names';
import { Intake, type AcceptSteps } from '../intake/accept';
import { intakeMetrics, RequestConsumer } from '../intake/request-consumer';
import type { IntakeAnswer } from '../intake/request';
import { insertClaims, markNotQueued } from '../jobs/claim';
import { lockStanding } from '../jobs/conflicts';
import { addFollowers, readFollowed } from '../jobs/followers';
import { countStart, forgetStarts, readRefusals, recordDeadLetters } from '../jobs/dead-letters';
import { anyWaiting } from '../jobs/dispatch';
import { appendToOutbox } from '../outbox/rows';
import type { Component } from '../platform/lifecycle';
import { RabbitConnection } from '../platform/rabbitmq/connection';
import { Consumer, consumerMetrics, type Delivery } from '../platform/rabbitmq/consumer';
import { QueueWindow } from '../queues/window';
import { declareTopology } from '../topology/assert';
import type { Foundation } from './foundation';

export interface ConsumerRole {
  components: Component[];
  /** Closes the channels until `blockedBy` says that requests can be taken. */
  pauseAll: () => void;
}

/** Requests from the broker to the intake: one consumer for each queue. */
export function composeConsumer(foundation: Foundation, blockedBy: () => string | undefined): ConsumerRole {
  const { config, log, metrics, database } = foundation;
  const connection = new RabbitConnection(config.rabbitmq.url, 'intake', log);
  const instruments = { intake: intakeMetrics(metrics), consumer: consumerMetrics(metrics) };
  const window = new QueueWindow(
    { size: () => foundation.moneyQueue.size(), anyWaiting: () => anyWaiting(database) },
    config.intake.window,
    log,
  );
  const intake = new Intake(acceptSteps(foundation, window, instruments.intake), config.intake.keySecret, log);
  const ack = foundation.decorate('ack', (delivery: Delivery) => Promise.resolve(delivery.ack()));

  const consumerOf = (queue: string, suspectAll = false): RequestConsumer => {
    const source = new Consumer(
      connection,
      { queue, prefetch: config.rabbitmq.prefetch, setup: (channel: Channel) => declareTopology(channel) },
      (delivery) => requests.deliver(delivery),
      instruments.consumer,
      log,
    );
    const requests: RequestConsumer = new RequestConsumer(
      source,
      { queue, maxBatch: config.intake.maxBatch, suspectAll },
      {
        intake,
        ack,
        blockedBy: async () => blockedBy() ?? (await databaseProblem(foundation)),
        countStart: foundation.decorate('count start', (key, delivery) =>
          countStart(database, key, delivery.queue, delivery.content),
        ),
        forgetStarts: foundation.decorate('forget starts', (key) => forgetStarts(database, key)),
      },
      instruments.intake,
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
      { name: 'queue window', start: () => Promise.resolve(window.start()), stop: () => window.stop() },
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

function acceptSteps(
  { database, moneyQueue, outboxSignal, decorate }: Foundation,
  window: QueueWindow,
  metrics: ReturnType<typeof intakeMetrics>,
): AcceptSteps {
  return {
    claim: decorate('claim', (claims) => insertClaims(database, claims)),
    enqueue: decorate('enqueue', (jobs) => moneyQueue.add(jobs)),
    markNotQueued: decorate('mark not queued', (jobIds) => markNotQueued(database, jobIds)),
    takeRoom: (count) => window.take(count),
    transaction: (work) => database.transaction(work),
    lockStanding,
    readFollowed,
    readRefusals,
    addFollowers: decorate('answer contested', addFollowers),
    recordDeadLetters: decorate('reject', recordDeadLetters),
    append: appendToOutbox,
    signal: () => outboxSignal.send(),
    onAnswer: (answer, type) => count(answer, type, metrics),
  };
}

function count(answer: IntakeAnswer, type: string, metrics: ReturnType<typeof intakeMetrics>): void {
  metrics.consumed.inc({ outcome: answer.kind, job_type: type });
  if (answer.kind === 'redelivered') metrics.redeliveries.inc({ job_type: type });
  if (answer.kind === 'rejected') metrics.deadLetters.inc({ code: answer.code });
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

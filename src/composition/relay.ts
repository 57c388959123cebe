import type { Channel } from 'amqplib';
import { publishBatch } from '../outbox/publish-batch';
import { Relay, relayMetrics } from '../outbox/relay';
import { deferRow, markPublished, readBacklog, readUnpublished } from '../outbox/rows';
import { OutboxListener } from '../outbox/signal';
import { Lease } from '../platform/lease';
import type { Component } from '../platform/lifecycle';
import { RabbitConnection } from '../platform/rabbitmq/connection';
import { Publisher, type OutgoingMessage } from '../platform/rabbitmq/publisher';
import { describeError } from '../platform/logger';
import { Loop } from '../platform/time';
import { declareTopology } from '../topology/assert';
import { leaseDatabase, type Foundation } from './foundation';

/** Committed messages to the broker; one process of all at a time. */
export function composeRelay(foundation: Foundation): Component[] {
  const { config, log, metrics, database, decorate, outboxSignal } = foundation;
  const connection = new RabbitConnection(config.rabbitmq.url, 'relay', log);
  const publisher = new Publisher(connection, {
    name: 'relay',
    setup: (channel: Channel) => declareTopology(channel),
  });
  const leaderGauge = metrics.gauge('relay_leader', '1 in the process that publishes the outbox');
  const lease = new Lease(
    leaseDatabase(foundation),
    {
      name: 'relay',
      holder: config.instance,
      ttlMs: config.relay.leaseMs,
      onChange: (held) => {
        leaderGauge.set(held ? 1 : 0);
        if (held) relay.wake();
      },
    },
    log,
  );
  const publish = (messages: OutgoingMessage[]) => publishBatch(publisher, messages, config.rabbitmq.confirmTimeoutMs);
  const relay = new Relay(
    {
      mayPublish: () => lease.held && publisher.connected,
      read: decorate('read outbox', (limit) => readUnpublished(database, limit)),
      publish: decorate('publish', publish),
      markPublished: decorate('mark published', (rows) => markPublished(database, rows)),
      defer: (row, reason, retryInMs, maxAttempts) => deferRow(database, row, reason, retryInMs, maxAttempts),
    },
    config.relay,
    relayMetrics(metrics),
    log,
  );
  const listener = new OutboxListener(config.database.directUrl, () => relay.wake(), log);
  outboxSignal.attachRelay(() => relay.wake());
  return [
    {
      name: 'relay connection',
      stop: () => connection.close(),
      health: { of: 'broker', check: () => connection.check() },
    },
    { name: 'relay publisher', stop: () => publisher.close() },
    { name: 'relay lease', start: () => Promise.resolve(lease.start()), stop: () => lease.stop() },
    { name: 'relay', start: () => Promise.resolve(relay.start()), stop: () => relay.stop() },
    backlogGauges(foundation, () => lease.held),
    { name: 'outbox listener', start: () => Promise.resolve(listener.start()), stop: () => listener.stop() },
  ];
}

const BACKLOG_EVERY_MS = 10_000;

/** What waits in the outbox, as the process that publishes it sees it. */
function backlogGauges({ metrics, database, log }: Foundation, isRelay: () => boolean): Component {
  const rows = metrics.gauge('outbox_backlog_rows', 'Messages that wait to be published');
  const age = metrics.gauge('outbox_oldest_age_seconds', 'Age of the oldest message that waits to be published');
  const parked = metrics.gauge('outbox_parked_rows', 'Messages that were set aside and not yet dealt with');
  const loop = new Loop(
    async () => {
      if (!isRelay()) return;
      const backlog = await readBacklog(database);
      rows.set(backlog.rows);
      age.set(backlog.ageSeconds);
      parked.set(backlog.parked);
    },
    BACKLOG_EVERY_MS,
    (error) => log.warn('outbox backlog not read', { error: describeError(error) }),
  );
  return { name: 'outbox backlog', start: () => Promise.resolve(loop.start()), stop: () => loop.stop() };
}

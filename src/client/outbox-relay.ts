import { publishBatch } from '../outbox/publish-batch';
import { Relay, relayMetrics } from '../outbox/relay';
import { deferRow, markPublished, readBacklog, readUnpublished, type Backlog } from '../outbox/rows';
import type { OutboxTable } from '../outbox/table';
import { uuidV7 } from '../platform/ids';
import { Lease } from '../platform/lease';
import { Lifecycle } from '../platform/lifecycle';
import type { Logger } from '../platform/logger';
import { Metrics } from '../platform/metrics';
import { Database } from '../platform/postgres/database';
import { RabbitConnection } from '../platform/rabbitmq/connection';
import { Publisher } from '../platform/rabbitmq/publisher';
import { lookForExchanges } from './exchanges';
import { leasesOf } from './tables';

/** Rows in memory at most. */
const BATCH_SIZE = 100;
/** Between a commit and the relay's next look. */
const POLL_MS = 200;
/** As the service's own relay has them. */
const MAX_ATTEMPTS = 20;
const LEASE_MS = 6_000;
const CONFIRM_TIMEOUT_MS = 10_000;

const STATEMENT_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 10_000;

/**
 * Publishes the caller's outbox with the service's own relay. Of all that run on one table a single one publishes; when
 * its process dies another takes over.
 */
export class OutboxRelay {
  private readonly database: Database;
  private readonly lease: Lease;
  private readonly lifecycle: Lifecycle;

  constructor(
    options: { amqpUrl: string; source: string; databaseUrl: string },
    private readonly table: OutboxTable,
    log: Logger,
  ) {
    const database = new Database(
      // A pooler in transaction mode may stand before the database.
      {
        url: options.databaseUrl,
        poolSize: 2,
        statementTimeoutMs: STATEMENT_TIMEOUT_MS,
        prepareStatements: false,
      },
      log,
    );
    const connection = new RabbitConnection(options.amqpUrl, `outbox of ${options.source}`, log);
    const publisher = new Publisher(connection, { name: 'client outbox', setup: lookForExchanges });
    const lease = new Lease(
      database,
      {
        name: 'relay',
        holder: uuidV7(),
        ttlMs: LEASE_MS,
        table: leasesOf(table.name),
        onChange: () => relay.wake(),
      },
      log,
    );
    const relay = new Relay(
      {
        mayPublish: () => lease.held && publisher.connected,
        read: (limit) => readUnpublished(database, limit, table),
        publish: (messages) => publishBatch(publisher, messages, CONFIRM_TIMEOUT_MS),
        markPublished: (rows) => markPublished(database, rows, table),
        defer: (row, reason, retryInMs, maxAttempts) => deferRow(database, row, reason, retryInMs, maxAttempts, table),
      },
      { batchSize: BATCH_SIZE, pollMs: POLL_MS, maxAttempts: MAX_ATTEMPTS, wokenByWriters: false },
      relayMetrics(new Metrics()),
      log,
    );
    this.database = database;
    this.lease = lease;
    this.lifecycle = new Lifecycle(
      [
        { name: 'outbox database', stop: () => database.close() },
        { name: 'outbox connection', stop: () => connection.close() },
        { name: 'outbox publisher', stop: () => publisher.close() },
        { name: 'outbox lease', stop: () => lease.stop() },
        { name: 'outbox relay', stop: () => relay.stop() },
      ],
      log,
      STOP_TIMEOUT_MS,
    );
    lease.start();
    relay.start();
  }

  /** Whether it is this one that publishes now. */
  get active(): boolean {
    return this.lease.held;
  }

  /** What waits, and what was parked: for the caller's metrics. @throws when the database does not answer */
  backlog(): Promise<Backlog> {
    return readBacklog(this.database, this.table);
  }

  /** Publishes what is there once more, and ends; the rest waits for another relay. */
  stop(): Promise<void> {
    return this.lifecycle.stop();
  }
}

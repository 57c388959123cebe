import { z } from 'zod';
import type { JobTypeName, PayloadOf } from '../catalogue';
import type { DomainEventData, DomainEventName } from '../contract/domain-events';
import { cloudEvent } from '../contract/envelope';
import { problemsOf } from '../contract/problems';
import { appendToOutbox } from '../outbox/rows';
import { outboxTable, type OutboxTable } from '../outbox/table';
import { uuidV7 } from '../platform/ids';
import { createLogger, describeError, type Logger } from '../platform/logger';
import { TABLE_NAME } from '../platform/postgres/identifier';
import { RabbitConnection } from '../platform/rabbitmq/connection';
import { InvalidCallError, NotSentError } from './errors';
import {
  prepareEvent,
  prepareRequest,
  type PreparedMessage,
  type PublishEventOptions,
  type PublishOptions,
} from './message';
import { OutboxRelay } from './outbox-relay';
import { Publications } from './publications';
import { asTransaction, type CallerTransaction } from './sql';

export interface QueueClientOptions {
  amqpUrl: string;
  /** Who publishes, as CloudEvents name it: `/order-service`. Fixed, since it is half of every message's identity. */
  source: string;
  /** Publications under way at the same time, each with its message in memory. Default 1,000. */
  maxPending?: number;
  /**
   * When there is no room, or no broker: `wait` until the deadline, or `fail` at once. As many callers may wait as
   * publications may be pending; further ones fail. Default `wait`.
   */
  whenFull?: 'fail' | 'wait';
  /** Milliseconds after which a publication is given up. Default 30,000. */
  deadlineMs?: number;
  /** The table in the caller's database for `publishInTransaction`; see `createOutboxTable`. Default `queue_outbox`. */
  outboxTable?: string;
  /** Default: silent. */
  log?: Logger;
}

/** A message that the broker has, or that a transaction owes it. */
export interface Published {
  /** Outcomes name it as their `requestId`. */
  id: string;
}

const clientOptions = z.strictObject({
  amqpUrl: z.url({ protocol: /^amqps?$/ }),
  source: cloudEvent.shape.source,
  maxPending: z.int().positive().default(1_000),
  whenFull: z.enum(['fail', 'wait']).default('wait'),
  deadlineMs: z.int().positive().default(30_000),
  outboxTable: z.string().regex(TABLE_NAME, 'is not a plain table name').default('queue_outbox'),
  log: z.custom<Logger>().optional(),
});

/** What another service speaks to queue-service with: typed requests and domain events out, typed outcomes in. */
export class QueueClient {
  private readonly connection: RabbitConnection;
  private readonly publications: Publications;
  private readonly outbox: OutboxTable;
  /** What was started beside it, each with the way to stop it. */
  private readonly parts: (() => Promise<void>)[] = [];
  private closing: Promise<void> | undefined;

  private constructor(
    private readonly options: z.output<typeof clientOptions>,
    private readonly log: Logger,
  ) {
    this.connection = new RabbitConnection(options.amqpUrl, `client of ${options.source}`, log);
    // Ids of messages are texts: the caller may have made them.
    this.outbox = outboxTable(options.outboxTable, 'text');
    this.publications = new Publications(this.connection, options, log);
  }

  /**
   * Connects in the background and keeps connecting: `ready()` waits for it.
   * @throws InvalidCallError that names everything that is wrong with the options
   */
  static open(given: QueueClientOptions): QueueClient {
    const parsed = clientOptions.safeParse(given);
    if (!parsed.success) throw new InvalidCallError('the options of the client', problemsOf(parsed.error));
    const log = parsed.data.log ?? createLogger({ level: 'silent', service: parsed.data.source });
    return new QueueClient(parsed.data, log);
  }

  /** Whether messages can be published now: for a health check. */
  get connected(): boolean {
    return this.publications.connected;
  }

  /** Resolves once the broker and the service's exchanges are there. @throws NotSentError after `deadlineMs` */
  ready(): Promise<void> {
    return this.publications.ready();
  }

  /**
   * Asks for a job. Resolves once the broker has taken responsibility for the request; its outcome comes to `onOutcome`.
   * Tried again, under the same id, when a confirm is lost.
   * @throws InvalidCallError, NotSentError, UnconfirmedError, UnroutableError
   */
  async publish<Name extends JobTypeName>(
    type: Name,
    payload: PayloadOf<Name>,
    options: PublishOptions = {},
  ): Promise<Published> {
    return this.send(prepareRequest(this.options.source, type, payload, options));
  }

  /** Says that something happened; promises and errors as with `publish`. */
  async publishEvent<Name extends DomainEventName>(
    name: Name,
    data: DomainEventData<Name>,
    options: PublishEventOptions = {},
  ): Promise<Published> {
    return this.send(prepareEvent(this.options.source, name, data, options));
  }

  /**
   * Writes the request into the caller's outbox, in the caller's own transaction: it is published if and only if that
   * commits, by a relay (`startRelay`), here or in another process.
   * @param transaction of `knex`, or a `pg` client after BEGIN
   * @throws InvalidCallError, and what the database answers
   */
  async publishInTransaction<Name extends JobTypeName>(
    transaction: CallerTransaction,
    type: Name,
    payload: PayloadOf<Name>,
    options: PublishOptions = {},
  ): Promise<Published> {
    return this.write(transaction, prepareRequest(this.options.source, type, payload, options));
  }

  /** The same for a domain event. */
  async publishEventInTransaction<Name extends DomainEventName>(
    transaction: CallerTransaction,
    name: Name,
    data: DomainEventData<Name>,
    options: PublishEventOptions = {},
  ): Promise<Published> {
    return this.write(transaction, prepareEvent(this.options.source, name, data, options));
  }

  /**
   * Starts to publish what transactions left in the outbox. Several may run on one table, in as many processes: one of
   * them publishes. Stopped by its own `stop` or with the client.
   * @param options.databaseUrl of the caller's database; a pooler in transaction mode is fine
   */
  startRelay(options: { databaseUrl: string }): OutboxRelay {
    if (this.closing) throw new NotSentError('closed', 'the client is closed');
    const relay = new OutboxRelay({ ...this.options, ...options }, this.outbox, this.log);
    this.parts.push(() => relay.stop());
    return relay;
  }

  /** Takes nothing more and ends when everything that is under way has ended, at its deadline at the latest. */
  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  private async closeAll(): Promise<void> {
    await Promise.all(this.parts.map((stop) => stop()));
    await this.publications.close();
    await this.connection
      .close()
      .catch((error: unknown) => this.log.warn('connection not closed cleanly', { error: describeError(error) }));
  }

  private async send(message: PreparedMessage): Promise<Published> {
    await this.publications.publish({
      messageId: message.id,
      exchange: message.exchange,
      routingKey: message.routingKey,
      body: Buffer.from(message.body, 'utf8'),
      contentType: message.contentType,
      type: message.type,
      ...(message.correlationId === undefined ? {} : { correlationId: message.correlationId }),
      headers: message.headers,
      mandatory: true,
    });
    return { id: message.id };
  }

  private async write(transaction: CallerTransaction, message: PreparedMessage): Promise<Published> {
    // Messages of a client do not wait for each other: each is a key of its own.
    const row = { ...message, orderingKey: uuidV7(), alsoTo: [], mandatory: true };
    await appendToOutbox(asTransaction(transaction), [row], this.outbox);
    return { id: message.id };
  }
}

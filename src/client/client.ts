import type { JobTypeName, PayloadOf } from '../catalogue';
import type { DomainEventData, DomainEventName } from '../contract/domain-events';
import { appendToOutbox } from '../outbox/rows';
import { outboxTable, type OutboxTable } from '../outbox/table';
import { uuidV7 } from '../platform/ids';
import { createLogger, describeError, type Logger } from '../platform/logger';
import { RabbitConnection } from '../platform/rabbitmq/connection';
import { NotSentError } from './errors';
import {
  prepareEvent,
  prepareRequest,
  type PreparedMessage,
  type PublishEventOptions,
  type PublishOptions,
} from './message';
import { NO_INBOX, type Inbox } from './inbox';
import {
  readClientOptions,
  readOutcomeOptions,
  type ClientSettings,
  type OutcomeOptions,
  type QueueClientOptions,
} from './options';
import { OutboxRelay } from './outbox-relay';
import { OutcomeHandling, type OutcomeHandler } from './outcome-handling';
import { OutcomeSubscription } from './outcome-subscription';
import { Publications } from './publications';
import { asTransaction, type CallerTransaction } from './sql';

/** A message that the broker has, or that a transaction owes it. */
export interface Published {
  /** Outcomes name it as their `requestId`. */
  id: string;
}

/** What another service speaks to queue-service with: typed requests and domain events out, typed outcomes in. */
export class QueueClient {
  private readonly connection: RabbitConnection;
  private readonly publications: Publications;
  private readonly outbox: OutboxTable;
  /** What was started beside it, each with the way to stop it. */
  private readonly parts: (() => Promise<void>)[] = [];
  private closing: Promise<void> | undefined;

  private constructor(
    private readonly options: ClientSettings,
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
    const options = readClientOptions(given);
    return new QueueClient(options, options.log ?? createLogger({ level: 'silent', service: options.source }));
  }

  /** Whether messages can be published now: for a health check. */
  get connected(): boolean {
    return this.publications.connected;
  }

  /** Resolves once the broker and the service's exchanges are there. @throws NotReadyError after `deadlineMs` */
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

  /**
   * Hears the outcomes of this source's requests (or those of `routingKeys`) on a queue of its own. An outcome is
   * acknowledged when the handler has resolved; it comes again after a crash, and again, with growing pauses, when the
   * handler fails. After `maxTries` failures, or when nobody can read it, it waits in `<queue>.parked` for a person.
   *
   * Repeats are dropped by their id: by memory alone, of the last 10,000, or by the caller's `inbox`, in the transaction
   * that is handed to the handler.
   * @throws InvalidCallError that names everything that is wrong with the options
   */
  onOutcome(handler: OutcomeHandler<undefined>, given: OutcomeOptions & { inbox?: undefined }): OutcomeSubscription;
  onOutcome<Transaction>(
    handler: OutcomeHandler<Transaction>,
    given: OutcomeOptions & { inbox: Inbox<Transaction> },
  ): OutcomeSubscription;
  onOutcome<Transaction>(
    handler: OutcomeHandler<Transaction | undefined>,
    { inbox, ...given }: OutcomeOptions & { inbox?: Inbox<Transaction> | undefined },
  ): OutcomeSubscription {
    if (this.closing) throw new NotSentError('closed', 'the client is closed');
    const options = readOutcomeOptions(given, this.options.source);
    const subscription = new OutcomeSubscription(
      { ...this.options, ...options },
      new OutcomeHandling(handler, inbox ?? NO_INBOX, options, this.log),
      (message) => this.publications.publish(message),
      this.log,
    );
    this.parts.push(() => subscription.close());
    return subscription;
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

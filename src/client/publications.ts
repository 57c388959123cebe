import type { ConfirmChannel } from 'amqplib';
import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import type { RabbitConnection } from '../platform/rabbitmq/connection';
import { Publisher, type OutgoingMessage } from '../platform/rabbitmq/publisher';
import { exponentialBackoffMs, pause, within } from '../platform/time';
import { NotReadyError, NotSentError, UnconfirmedError, UnroutableError } from './errors';
import { lookForExchanges } from './exchanges';
import { Places, type GiveBack } from './places';
import { Signal } from './signal';

export interface PublicationOptions {
  /** Publications that may be under way at the same time, and in memory. */
  maxPending: number;
  /** What a publication does when there is no room, or no broker: throw at once, or wait until its deadline. */
  whenFull: 'fail' | 'wait';
  /** Milliseconds after which a publication is given up. */
  deadlineMs: number;
}

const RETRY_BASE_MS = 50;
const RETRY_CAP_MS = 5_000;

interface Publication {
  message: OutgoingMessage;
  deadline: number;
  /** Resolves when the broker has answered the last try, or its channel is gone. */
  underWay: Promise<unknown>;
}

/**
 * Publishes until the broker has confirmed. A try whose confirm did not come may have arrived, so the next one carries the
 * same message, id included. Nothing is kept beyond `maxPending` messages under way and as many callers that wait.
 */
export class Publications {
  private readonly publisher: Publisher;
  private readonly places: Places;
  private readonly connectedAgain = new Signal();
  private closed = false;
  /** Publications that have not ended, those that wait for a place included. */
  private callers = 0;
  private readonly idle = new Signal();
  /** Why the last channel could not be used: the topology is missing, say. */
  private obstacle: string | undefined;

  constructor(
    connection: RabbitConnection,
    private readonly options: PublicationOptions,
    private readonly log: Logger,
  ) {
    this.places = new Places(options.maxPending);
    this.publisher = new Publisher(connection, {
      name: 'client publications',
      setup: (channel) => this.prepare(channel),
      onConnected: () => {
        this.obstacle = undefined;
        this.connectedAgain.send();
      },
    });
  }

  get connected(): boolean {
    return this.publisher.connected;
  }

  /** @throws NotReadyError when there is no broker to publish to by the deadline */
  async ready(): Promise<void> {
    if (await this.connectedBy(performance.now() + this.options.deadlineMs)) return;
    throw new NotReadyError(this.disconnected().message);
  }

  /** Resolves once the broker has the message. @throws NotSentError, UnconfirmedError, UnroutableError */
  async publish(message: OutgoingMessage): Promise<void> {
    if (this.closed) throw new NotSentError('closed', 'the client is closed');
    const deadline = performance.now() + this.options.deadlineMs;
    this.callers += 1;
    try {
      await this.untilConfirmed({ message, deadline, underWay: Promise.resolve() }, await this.place());
    } finally {
      this.callers -= 1;
      if (this.callers === 0) this.idle.send();
    }
  }

  /** Takes nothing more, and ends when what is under way has ended: at their deadlines at the latest. */
  async close(): Promise<void> {
    this.closed = true;
    while (this.callers > 0) await this.idle.wait(this.options.deadlineMs);
    await this.publisher
      .close()
      .catch((error: unknown) => this.log.warn('publisher not closed cleanly', { error: describeError(error) }));
  }

  private async place(): Promise<GiveBack> {
    const { deadlineMs, whenFull } = this.options;
    const place = whenFull === 'wait' ? await this.places.take(deadlineMs) : this.places.takeNow();
    if (place) return place;
    throw this.full();
  }

  private async untilConfirmed(publication: Publication, giveBack: GiveBack): Promise<void> {
    try {
      for (let attempt = 1; ; attempt += 1) {
        const result = await this.try(publication, attempt);
        if (result === 'confirmed') return;
        this.log.warn('message not confirmed', { messageId: publication.message.messageId, attempt, result });
        const backoff = exponentialBackoffMs(attempt, RETRY_BASE_MS, RETRY_CAP_MS);
        await pause(Math.min(backoff, timeLeft(publication.deadline)));
      }
    } finally {
      // What the broker has not answered is still in memory, whether or not somebody waits for it.
      void publication.underWay.then(giveBack);
    }
  }

  /** Whether there is a channel to publish on by then; a deadline that has passed asks about now. */
  private async connectedBy(deadline: number): Promise<boolean> {
    while (!this.connected && timeLeft(deadline) > 0) await this.connectedAgain.wait(timeLeft(deadline));
    return this.connected;
  }

  private full(): NotSentError {
    return new NotSentError('full', `${this.options.maxPending} publications are pending, and no place became free`);
  }

  private disconnected(): NotSentError {
    return new NotSentError('disconnected', `the broker cannot be published to: ${this.obstacle ?? 'not connected'}`);
  }

  private async try(publication: Publication, attempt: number): Promise<'confirmed' | 'refused' | 'lost'> {
    const { message, deadline } = publication;
    // Once it may have arrived, only a confirm tells the caller something that helps.
    const mayHaveArrived = attempt > 1;
    const ready = await this.connectedBy(mayHaveArrived || this.options.whenFull === 'wait' ? deadline : 0);
    if (!ready || timeLeft(deadline) === 0) {
      if (mayHaveArrived) throw new UnconfirmedError(message.messageId);
      throw ready ? this.full() : this.disconnected();
    }
    const published = this.publisher.publish(message);
    publication.underWay = Promise.allSettled([published]);
    const result = await within(timeLeft(deadline), 'the confirm', published).catch(() => 'lost' as const);
    if (result === 'unroutable') throw new UnroutableError(message.messageId, message.routingKey);
    return result;
  }

  private async prepare(channel: ConfirmChannel): Promise<void> {
    try {
      await lookForExchanges(channel);
    } catch (error) {
      this.obstacle = describeError(error);
      throw error;
    }
  }
}

function timeLeft(deadline: number): number {
  return Math.max(0, deadline - performance.now());
}

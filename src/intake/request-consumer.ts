import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import { Gathering } from '../platform/gathering';
import type { Delivery } from '../platform/rabbitmq/consumer';
import type { OutgoingMessage } from '../platform/rabbitmq/publisher';
import { isUnavailable } from '../platform/postgres/errors';
import { exponentialBackoffMs, pause } from '../platform/time';
import { uuidV5 } from '../platform/ids';
import { sha256 } from '../platform/ids';
import type { Intake } from './accept';
import { detourOf } from './detour';
import type { IntakeMetrics } from './metrics';
import { poisonRejection, readMessage, type ReadMessage } from './read-message';
import type { Offer } from './request';

/** The side of the broker that a consumer needs; composed in service.ts. */
export interface Source {
  open: () => void;
  close: () => Promise<void>;
  cancel: () => Promise<void>;
}

export interface RequestConsumerOptions {
  queue: string;
  maxBatch: number;
  /**
   * Count the start of every message before it is touched, as for messages that the broker gave up on. Otherwise only
   * those are counted that were handed out several times before.
   */
  suspectAll: boolean;
}

export interface RequestConsumerSteps {
  intake: Intake;
  ack: (delivery: Delivery) => Promise<void>;
  /** Resolves when the broker has all of them. */
  detour: (messages: OutgoingMessage[]) => Promise<void>;
  /** Why nothing may be taken now; undefined when all is well. */
  blockedBy: () => Promise<string | undefined>;
  countStart: (key: string, delivery: Delivery) => Promise<number>;
  forgetStarts: (key: string) => Promise<void>;
}

/** Handed out this often already, a message is a suspect of its own and no longer only a neighbour of one. */
const SUSPECT_DELIVERIES = 3;
/** Starts of one message, taken alone, of which none came to an end. */
const MAX_STARTS = 3;
/** Reading and storing a batch must not hold up the event loop for long, however large its messages are. */
const MAX_BATCH_BYTES = 4 * 1_048_576;
const RETRY_BASE_MS = 250;
const RETRY_CAP_MS = 5_000;

/**
 * Takes requests from one queue in natural batches: what arrived while the last batch was under way. A redelivered
 * message is taken alone, so that one which kills the process does so without its neighbours.
 *
 * While PostgreSQL is away the channel is closed, which gives everything back to the broker, and opened again when it is
 * there: nothing is held until the broker's consumer time-out.
 */
export class RequestConsumer {
  private waiting: { delivery: Delivery; at: number }[] = [];
  private working: Promise<void> | undefined;
  private started = false;
  /** The channel is to be closed, and opened again when nothing is in the way. */
  private pausing = false;
  /** Batches in a row that could not be taken in. */
  private failures = 0;
  private readonly gathering = new Gathering();
  private readonly stopping = new AbortController();

  constructor(
    private readonly source: Source,
    private readonly options: RequestConsumerOptions,
    private readonly steps: RequestConsumerSteps,
    private readonly metrics: IntakeMetrics,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.started = true;
    this.working = this.reopen();
  }

  /** To be given to the broker's consumer. */
  readonly deliver = (delivery: Delivery): void => {
    if (this.stopping.signal.aborted) return;
    this.waiting.push({ delivery, at: performance.now() });
    this.working ??= this.work();
  };

  /** Finishes what is in hand, and gives back the rest. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.source.cancel();
    this.waiting = [];
    await this.working;
    await this.source.close();
  }

  private async work(): Promise<void> {
    // Let everything that has arrived join the first batch.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (this.waiting.length > 0 && !this.pausing) await this.takeNext();
    } catch (error) {
      this.log.warn('intake interrupted', { queue: this.options.queue, error: describeError(error) });
      this.failures += 1;
      this.pausing = true;
    }
    if (this.pausing) await this.reopen();
    else this.working = undefined;
  }

  private async takeNext(): Promise<void> {
    await this.gathering.wait(this.waiting.length);
    const batch = this.nextBatch();
    this.gathering.note(batch.length);
    // The consumer may have been stopped meanwhile, which gives back what waits.
    if (batch.length > 0) await this.take(batch);
  }

  /** Closes the channel, waits until requests can be taken, then opens it again. */
  private async reopen(): Promise<void> {
    await this.source.close();
    this.waiting = [];
    const { signal } = this.stopping;
    // What `blockedBy` does not see may still be in the way: the broker counts every time that it hands a message out.
    if (this.failures > 0) await pause(exponentialBackoffMs(this.failures, RETRY_BASE_MS, RETRY_CAP_MS), signal);
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      this.pausing = false;
      const reason = await this.steps.blockedBy();
      this.metrics.paused.set({ queue: this.options.queue }, reason === undefined ? 0 : 1);
      // Somebody may have asked for a pause after the question was put.
      if (reason === undefined && !this.pausing) break;
      if (attempt === 1) this.log.warn('intake paused', { queue: this.options.queue, reason });
      await pause(exponentialBackoffMs(attempt, RETRY_BASE_MS, RETRY_CAP_MS), signal);
    }
    this.working = undefined;
    if (!signal.aborted) this.source.open();
  }

  /** Stops taking when something is wrong that `blockedBy` tells of; the batch in hand is still taken in. */
  pauseUntilClear(): void {
    if (!this.started || this.stopping.signal.aborted) return;
    this.pausing = true;
    this.working ??= this.work();
  }

  private nextBatch(): { delivery: Delivery; at: number }[] {
    const first = this.waiting.findIndex(({ delivery }) => delivery.redelivered || this.options.suspectAll);
    if (first === 0) return this.waiting.splice(0, 1);
    const end = first < 0 ? this.waiting.length : first;
    return this.waiting.splice(0, Math.min(end, this.options.maxBatch, this.countWithin(MAX_BATCH_BYTES)));
  }

  /** How many of those that wait have so many bytes together; one at least. */
  private countWithin(bytes: number): number {
    let sum = 0;
    const first = this.waiting.findIndex(({ delivery }) => (sum += delivery.content.length) > bytes);
    return first < 0 ? this.waiting.length : Math.max(1, first);
  }

  private async take(batch: { delivery: Delivery; at: number }[]): Promise<void> {
    const alone = batch.length === 1 ? batch[0]?.delivery : undefined;
    if (alone && this.isSuspect(alone)) await this.takeSuspect(alone);
    else await this.takeIn(batch.map(({ delivery }) => delivery));
    this.failures = 0;
    const { queue } = this.options;
    this.metrics.batchSize.observe({ queue }, batch.length);
    for (const { at } of batch) this.metrics.latency.observe({ queue }, (performance.now() - at) / 1_000);
  }

  private async takeIn(deliveries: Delivery[]): Promise<void> {
    const messages = deliveries.map(readMessage);
    const offers = messages.flatMap((message) => ('offers' in message ? message.offers : []));
    const answers = await this.steps.intake.accept(offers);
    const detoured = new Set(offers.filter((_, index) => answers[index]?.kind === 'detoured'));
    await this.steps.intake.reject(messages.flatMap((message) => ('rejection' in message ? [message.rejection] : [])));
    await this.detour(deliveries, messages, detoured);
    for (const delivery of deliveries) await this.steps.ack(delivery);
  }

  /** Once for each tier that cannot take its jobs of the message now. */
  private async detour(deliveries: Delivery[], messages: ReadMessage[], detoured: Set<Offer>): Promise<void> {
    if (detoured.size === 0) return;
    await this.steps.detour(
      deliveries.flatMap((delivery, index) => {
        const message = messages[index];
        if (!message || !('offers' in message)) return [];
        const types = message.offers.filter((offer) => detoured.has(offer)).map(({ request }) => request.type);
        return [...new Set(types.map(({ queue }) => queue))].map((tier) => {
          const names = types.filter(({ queue }) => queue === tier).map(({ name }) => name);
          return detourOf(delivery, message.event, message.from, tier, [...new Set(names)]);
        });
      }),
    );
  }

  private isSuspect(delivery: Delivery): boolean {
    return this.options.suspectAll || delivery.earlierDeliveries >= SUSPECT_DELIVERIES;
  }

  /** Counts the start before the message is touched; one that ended three processes is not touched any more. */
  private async takeSuspect(delivery: Delivery): Promise<void> {
    const key = uuidV5(NIL, `suspect:${delivery.messageId ?? ''}:${sha256(delivery.content)}`);
    const starts = await this.steps.countStart(key, delivery);
    if (starts > MAX_STARTS) {
      await this.steps.intake.reject([poisonRejection(delivery)]);
      await this.steps.ack(delivery);
    } else {
      await this.takeIn([delivery]).catch((error: unknown) => this.forgive(key, error));
    }
    await this.steps.forgetStarts(key);
  }

  /** The process lived and something that it needed was away: that start says nothing about the message. */
  private async forgive(key: string, error: unknown): Promise<never> {
    if (isUnavailable(error)) {
      await this.steps
        .forgetStarts(key)
        .catch((failure: unknown) => this.log.warn('start not forgotten', { error: describeError(failure) }));
    }
    throw error;
  }
}

const NIL = '00000000-0000-0000-0000-000000000000';

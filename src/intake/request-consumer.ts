import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import type { Metrics } from '../platform/metrics';
import type { Delivery } from '../platform/rabbitmq/consumer';
import { exponentialBackoffMs, pause } from '../platform/time';
import { uuidV5 } from '../platform/ids';
import { sha256 } from '../platform/ids';
import type { Intake } from './accept';
import { poisonRejection, readMessage } from './read-message';

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
  /** Why nothing may be taken now; undefined when all is well. */
  blockedBy: () => Promise<string | undefined>;
  countStart: (key: string, delivery: Delivery) => Promise<number>;
  forgetStarts: (key: string) => Promise<void>;
}

export function intakeMetrics(metrics: Metrics) {
  return {
    consumed: metrics.counter('requests_consumed_total', 'Requests by what became of them', ['outcome', 'job_type']),
    redeliveries: metrics.counter('redeliveries_total', 'Requests that had been accepted before', ['job_type']),
    deadLetters: metrics.counter('dead_letters_total', 'Messages refused for good', ['code']),
    batchSize: metrics.histogram(
      'intake_batch_size',
      'Messages taken in together',
      [1, 2, 5, 10, 20, 50, 100, 200],
      ['queue'],
    ),
    latency: metrics.histogram(
      'intake_latency_seconds',
      'From delivery to acknowledgement',
      [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      ['queue'],
    ),
    paused: metrics.gauge('intake_paused', '1 while nothing is taken from the queue', ['queue']),
  };
}

/** Handed out this often already, a message is a suspect of its own and no longer only a neighbour of one. */
const SUSPECT_DELIVERIES = 3;
/** Starts of one message, taken alone, of which none came to an end. */
const MAX_STARTS = 3;
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
  private readonly stopping = new AbortController();

  constructor(
    private readonly source: Source,
    private readonly options: RequestConsumerOptions,
    private readonly steps: RequestConsumerSteps,
    private readonly metrics: ReturnType<typeof intakeMetrics>,
    private readonly log: Logger,
  ) {}

  start(): void {
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
      while (this.waiting.length > 0) await this.take(this.nextBatch());
      this.working = undefined;
    } catch (error) {
      this.log.warn('intake interrupted', { queue: this.options.queue, error: describeError(error) });
      await this.source.close();
      await this.reopen();
    }
  }

  /** Waits until requests can be taken, then opens the channel. */
  private async reopen(): Promise<void> {
    this.waiting = [];
    const { signal } = this.stopping;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      const reason = await this.steps.blockedBy();
      this.metrics.paused.set({ queue: this.options.queue }, reason === undefined ? 0 : 1);
      if (reason === undefined) break;
      if (attempt === 1) this.log.warn('intake paused', { queue: this.options.queue, reason });
      await pause(exponentialBackoffMs(attempt, RETRY_BASE_MS, RETRY_CAP_MS), signal);
    }
    this.working = undefined;
    if (!signal.aborted) this.source.open();
  }

  /** Stops taking when something is wrong that `blockedBy` tells of, although requests could be claimed. */
  async pauseUntilClear(): Promise<void> {
    if (this.stopping.signal.aborted) return;
    await this.working;
    await this.source.close();
    this.working = this.reopen();
  }

  private nextBatch(): { delivery: Delivery; at: number }[] {
    const first = this.waiting.findIndex(({ delivery }) => delivery.redelivered || this.options.suspectAll);
    if (first === 0) return this.waiting.splice(0, 1);
    const end = first < 0 ? this.waiting.length : first;
    return this.waiting.splice(0, Math.min(end, this.options.maxBatch));
  }

  private async take(batch: { delivery: Delivery; at: number }[]): Promise<void> {
    const alone = batch.length === 1 ? batch[0]?.delivery : undefined;
    if (alone && this.isSuspect(alone)) await this.takeSuspect(alone);
    else await this.takeIn(batch.map(({ delivery }) => delivery));
    const { queue } = this.options;
    this.metrics.batchSize.observe({ queue }, batch.length);
    for (const { at } of batch) this.metrics.latency.observe({ queue }, (performance.now() - at) / 1_000);
  }

  private async takeIn(deliveries: Delivery[]): Promise<void> {
    const messages = deliveries.map(readMessage);
    await this.steps.intake.accept(messages.flatMap((message) => ('offers' in message ? message.offers : [])));
    await this.steps.intake.reject(messages.flatMap((message) => ('rejection' in message ? [message.rejection] : [])));
    for (const delivery of deliveries) await this.steps.ack(delivery);
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
      await this.takeIn([delivery]);
    }
    await this.steps.forgetStarts(key);
  }
}

const NIL = '00000000-0000-0000-0000-000000000000';

import type { Channel } from 'amqplib';
import { uuidV7 } from '../platform/ids';
import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import { Metrics } from '../platform/metrics';
import { RabbitConnection } from '../platform/rabbitmq/connection';
import { Consumer, consumerMetrics, type Delivery } from '../platform/rabbitmq/consumer';
import type { OutgoingMessage } from '../platform/rabbitmq/publisher';
import { exponentialBackoffMs, pause } from '../platform/time';
import { NotReadyError } from './errors';
import { readOutcome, type Outcome } from './outcome';
import { declareOutcomeQueue, parkingOf } from './outcome-queue';
import type { OutcomeHandling } from './outcome-handling';
import { Signal } from './signal';

export interface SubscriptionSettings {
  amqpUrl: string;
  source: string;
  queue: string;
  routingKeys: string[];
  concurrency: number;
  /** Milliseconds after which `ready` gives up. */
  deadlineMs: number;
}

/** Outcome ids that are remembered in memory, with or without an inbox. */
const REMEMBERED = 10_000;
const PARK_RETRY_BASE_MS = 500;
const PARK_RETRY_CAP_MS = 30_000;

/**
 * Takes outcomes from a queue of the caller's own. Acknowledged after the handler, so a crash brings them again; what was
 * settled is remembered, so they are not handled again. Outcomes of one job are handled one after the other, as they came.
 */
export class OutcomeSubscription {
  private readonly connection: RabbitConnection;
  private readonly consumer: Consumer;
  private readonly stopping = new AbortController();
  private declared = false;
  private readonly declaredNow = new Signal();
  private obstacle = 'not connected';
  /** Outcomes under way, each with the deliveries to acknowledge when it is settled. */
  private readonly underWay = new Map<string, (() => void)[]>();
  /** The last outcome under way of each job. */
  private readonly lines = new Map<string, Promise<void>>();
  private readonly work = new Set<Promise<void>>();
  private readonly settled = new Set<string>();
  private closing: Promise<void> | undefined;

  constructor(
    private readonly settings: SubscriptionSettings,
    private readonly handling: Pick<OutcomeHandling<unknown>, 'handle'>,
    /** Resolves once the broker has it. */
    private readonly publish: (message: OutgoingMessage) => Promise<void>,
    private readonly log: Logger,
  ) {
    this.connection = new RabbitConnection(settings.amqpUrl, `outcomes of ${settings.source}`, log);
    this.consumer = new Consumer(
      this.connection,
      { queue: settings.queue, prefetch: settings.concurrency, setup: (channel) => this.prepare(channel) },
      (delivery) => this.take(delivery),
      consumerMetrics(new Metrics()),
      log,
    );
    this.consumer.open();
  }

  /** Resolves once outcomes are kept for this subscriber, at its first start. @throws NotReadyError after the deadline */
  async ready(): Promise<void> {
    const deadline = performance.now() + this.settings.deadlineMs;
    while (!this.declared) {
      const left = deadline - performance.now();
      if (left <= 0) throw new NotReadyError(`outcomes cannot be taken from ${this.settings.queue}: ${this.obstacle}`);
      await this.declaredNow.wait(left);
    }
  }

  /** Takes nothing more, and ends when the handlers that run have ended; the rest stays in the queue. */
  close(): Promise<void> {
    this.closing ??= this.drain();
    return this.closing;
  }

  private async drain(): Promise<void> {
    this.stopping.abort();
    await this.consumer.cancel();
    await Promise.all(this.work);
    await this.consumer.close();
    await this.connection
      .close()
      .catch((error: unknown) => this.log.warn('connection not closed cleanly', { error: describeError(error) }));
  }

  private async prepare(channel: Channel): Promise<void> {
    // Whatever an earlier channel delivered comes again on this one.
    for (const acknowledgements of this.underWay.values()) acknowledgements.length = 0;
    try {
      await declareOutcomeQueue(channel, this.settings.queue, this.settings.routingKeys);
    } catch (error) {
      this.obstacle = describeError(error);
      throw error;
    }
    this.declared = true;
    this.declaredNow.send();
  }

  private take(delivery: Delivery): void {
    if (this.stopping.signal.aborted) return;
    const work = this.judge(delivery).catch((error: unknown) =>
      this.log.error('outcome left in the queue', { error: describeError(error) }),
    );
    this.work.add(work);
    void work.finally(() => this.work.delete(work));
  }

  private async judge(delivery: Delivery): Promise<void> {
    const read = readOutcome(delivery.content);
    if ('problems' in read) {
      const fields = read.problems.map(({ path, message }) => `${path}: ${message}`);
      this.log.error('unreadable outcome', { problems: fields });
      if (await this.park(delivery, 'unreadable')) delivery.ack();
      return;
    }
    const { outcome } = read;
    if (this.settled.has(outcome.id)) return delivery.ack();
    const same = this.underWay.get(outcome.id);
    if (same) same.push(delivery.ack);
    else await this.inLine(outcome, delivery);
  }

  private async inLine(outcome: Outcome, delivery: Delivery): Promise<void> {
    const acknowledgements = [delivery.ack];
    this.underWay.set(outcome.id, acknowledgements);
    const line = outcome.jobId ?? outcome.id;
    const before = this.lines.get(line);
    const mine = (before ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => this.settle(outcome, delivery, acknowledgements));
    this.lines.set(line, mine);
    await mine.finally(() => {
      this.underWay.delete(outcome.id);
      if (this.lines.get(line) === mine) this.lines.delete(line);
    });
  }

  private async settle(outcome: Outcome, delivery: Delivery, acknowledgements: (() => void)[]): Promise<void> {
    const result = await this.handling.handle(outcome, this.stopping.signal);
    if (result === 'stopped') return;
    if (result === 'exhausted' && !(await this.park(delivery, 'handler failed'))) return;
    this.remember(outcome.id);
    for (const acknowledge of acknowledgements) acknowledge();
  }

  private remember(id: string): void {
    this.settled.add(id);
    const [oldest] = this.settled;
    if (this.settled.size > REMEMBERED && oldest !== undefined) this.settled.delete(oldest);
  }

  /** True once the message is in the parking queue; false when the subscription is closed before. */
  private async park(delivery: Delivery, reason: 'unreadable' | 'handler failed'): Promise<boolean> {
    const queue = parkingOf(this.settings.queue);
    const messageId = delivery.messageId ?? uuidV7();
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.publish({
          messageId,
          exchange: '',
          routingKey: queue,
          body: delivery.content,
          contentType: delivery.contentType ?? 'application/octet-stream',
          type: 'parked',
          headers: { reason, 'routing-key': delivery.routingKey },
          mandatory: true,
        });
        this.log.error('outcome parked', { messageId, queue, reason });
        return true;
      } catch (error) {
        this.log.error('outcome not parked', { messageId, queue, reason, error: describeError(error) });
      }
      if (this.stopping.signal.aborted) return false;
      await pause(exponentialBackoffMs(attempt, PARK_RETRY_BASE_MS, PARK_RETRY_CAP_MS), this.stopping.signal);
    }
  }
}

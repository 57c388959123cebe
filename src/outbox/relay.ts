import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import type { Metrics } from '../platform/metrics';
import type { OutgoingMessage, PublishResult } from '../platform/rabbitmq/publisher';
import { exponentialBackoffMs, Loop } from '../platform/time';
import { mayBeMore, type OutboxRow } from './rows';

export interface RelayOptions {
  /** Rows in flight at most; large ones are fewer. */
  batchSize: number;
  /** How often it looks when nobody signals. */
  pollMs: number;
  /** Tries after which a row is parked. */
  maxAttempts: number;
  /** Whoever commits rows wakes it, so that those which come while it publishes need not be looked for. */
  wokenByWriters: boolean;
}

/** The steps of the relay; composed in service.ts. */
export interface RelaySteps {
  /** True while this process alone may publish. */
  mayPublish: () => boolean;
  read: (limit: number) => Promise<OutboxRow[]>;
  /** Answers for each message in order; a rejection is ambiguous, the message may have arrived. */
  publish: (messages: OutgoingMessage[]) => Promise<PromiseSettledResult<PublishResult>[]>;
  markPublished: (rows: OutboxRow[]) => Promise<void>;
  defer: (row: OutboxRow, reason: string, retryInMs: number, maxAttempts: number) => Promise<{ parked: boolean }>;
}

export function relayMetrics(metrics: Metrics) {
  return {
    published: metrics.counter('outbox_published_total', 'Messages that the broker confirmed', ['exchange']),
    failed: metrics.counter('outbox_publish_failures_total', 'Publications without a confirm', ['reason']),
    unrouted: metrics.counter('outcomes_unrouted_total', 'Outcomes that no queue was bound for'),
    parked: metrics.counter('outbox_parked_total', 'Messages set aside after too many tries'),
  };
}

const RETRY_BASE_MS = 500;
const RETRY_CAP_MS = 60_000;
/** A relay that stops goes on publishing at most so long. */
const STOP_MS = 5_000;

/**
 * Publishes what committed transactions left in the outbox: read → publish → mark, one batch after the other. Crashes:
 * before the publish nothing happened; between publish and mark the row is published again, with the same message id.
 * At most one row of an ordering key is in flight, so first publications of a key come in order.
 */
export class Relay {
  private readonly loop: Loop;
  private stopBy = Number.POSITIVE_INFINITY;

  constructor(
    private readonly steps: RelaySteps,
    private readonly options: RelayOptions,
    private readonly metrics: ReturnType<typeof relayMetrics>,
    private readonly log: Logger,
  ) {
    this.loop = new Loop(
      () => this.drain(),
      options.pollMs,
      (error) => log.error('relay failed', { error: describeError(error) }),
    );
  }

  start(): void {
    this.loop.start();
  }

  /** Publishes what is there, once more, and ends; the rest waits in the outbox for another process. */
  async stop(): Promise<void> {
    // Other processes may write faster than this one could ever finish.
    this.stopBy = performance.now() + STOP_MS;
    await this.loop.stop();
    await this.drain().catch((error: unknown) => this.log.warn('relay left rows', { error: describeError(error) }));
  }

  /** Wakes the relay; false when it is another process that publishes now. */
  wake(): boolean {
    if (!this.steps.mayPublish()) return false;
    this.loop.poke();
    return true;
  }

  private async drain(): Promise<void> {
    while (this.steps.mayPublish() && performance.now() < this.stopBy) {
      const read = await this.steps.read(this.options.batchSize);
      const rows = firstOfEachKey(read);
      if (rows.length === 0 || !this.steps.mayPublish()) return;
      const { settled } = await this.publish(rows);
      if (settled === 0 || (rows.length === read.length && this.isToldOfOthers(read))) return;
    }
  }

  /** Then another look would nearly always be for nothing. One that stops is not told any more. */
  private isToldOfOthers(read: OutboxRow[]): boolean {
    const { wokenByWriters, batchSize } = this.options;
    return wokenByWriters && this.stopBy === Number.POSITIVE_INFINITY && !mayBeMore(read, batchSize);
  }

  /** @returns how many rows were dealt with: confirmed, or put off; the others are read again as they are */
  private async publish(rows: OutboxRow[]): Promise<{ settled: number }> {
    const results = await this.steps.publish(rows.map(toMessage));
    const judged = rows.map((row, index) => ({ row, result: results[index], reason: failureOf(row, results[index]) }));
    const confirmed = judged.filter(({ reason }) => reason === undefined);
    // First of all: what fails before the mark is published again.
    await this.steps.markPublished(confirmed.map(({ row }) => row));
    for (const { row, result } of confirmed) {
      this.metrics.published.inc({ exchange: row.exchange });
      if (isUnrouted(result)) this.metrics.unrouted.inc();
    }
    for (const { row, reason } of judged) if (reason !== undefined) await this.defer(row, reason);
    return { settled: judged.filter(({ reason }) => reason !== NO_CONFIRM).length };
  }

  private async defer(row: OutboxRow, reason: string): Promise<void> {
    this.metrics.failed.inc({ reason });
    // Without a broker nothing is the row's own fault: it keeps its place and its tries.
    if (reason === NO_CONFIRM) return;
    const retryInMs = exponentialBackoffMs(row.attempts + 1, RETRY_BASE_MS, RETRY_CAP_MS);
    const { parked } = await this.steps.defer(row, reason, retryInMs, this.options.maxAttempts);
    if (parked) this.metrics.parked.inc();
    this.log.error(parked ? 'message parked' : 'message not published, will be tried again', {
      messageId: row.id,
      exchange: row.exchange,
      routingKey: row.routingKey,
      reason,
    });
  }
}

const NO_CONFIRM = 'no_confirm';

function firstOfEachKey(rows: OutboxRow[]): OutboxRow[] {
  const seen = new Set<string>();
  return rows.filter((row) => !seen.has(row.orderingKey) && seen.add(row.orderingKey));
}

function failureOf(row: OutboxRow, result: PromiseSettledResult<PublishResult> | undefined): string | undefined {
  if (result?.status !== 'fulfilled') return NO_CONFIRM;
  // A subscriber whose queue is full, say: nobody else's messages may wait for it.
  if (result.value === 'refused') return 'refused';
  // An outcome that nobody subscribed to has been published all the same.
  return result.value === 'unroutable' && row.mandatory ? 'unroutable' : undefined;
}

function isUnrouted(result: PromiseSettledResult<PublishResult> | undefined): boolean {
  return result?.status === 'fulfilled' && result.value === 'unroutable';
}

function toMessage(row: OutboxRow): OutgoingMessage {
  return {
    messageId: row.id,
    exchange: row.exchange,
    routingKey: row.routingKey,
    body: Buffer.from(row.body, 'utf8'),
    contentType: row.contentType,
    type: row.type,
    ...(row.correlationId === undefined ? {} : { correlationId: row.correlationId }),
    ...(row.alsoTo.length === 0 ? {} : { alsoTo: row.alsoTo }),
    headers: row.headers,
    // Asked for every message: it is how unrouted outcomes are counted.
    mandatory: true,
  };
}

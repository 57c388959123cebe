import { KINDS, SALE_JOBS, type OutcomeRecord, type PublishedRecord } from '../records';

/** What was asked and what was answered so far: for the progress line, and to know when to stop waiting. */
export class Answers {
  readonly counts = {
    asked: 0,
    answered: 0,
    charged: 0,
    told: 0,
    receipts: 0,
    declined: 0,
    rejected: 0,
    duplicates: 0,
  };
  /** Last answers that requests are still owed, as many as the jobs that they ask for. */
  private readonly owed = new Map<string, number>();
  /** Last answers that have come. */
  private readonly given = new Map<string, number>();
  private readonly seen = new Set<string>();
  private readonly waiting = new Map<string, (() => void)[]>();
  private unreadable = 0;
  private unreadableAnswered = 0;
  private lastAt = Date.now();

  /** Everything that was asked has its last answer, and whoever paid was told of it. */
  get complete(): boolean {
    const { charged, told } = this.counts;
    return this.owed.size === 0 && this.unreadableAnswered >= this.unreadable && told >= charged;
  }

  get quietForMs(): number {
    return Date.now() - this.lastAt;
  }

  expect({ kind, requestId }: PublishedRecord): void {
    if (kind === 'order.paid') this.counts.told += 1;
    else this.counts.asked += 1;
    if (KINDS[kind] === 'nothing') return;
    if (requestId === null) {
      this.unreadable += 1;
      return;
    }
    this.owed.set(requestId, kind === 'order.paid' ? Object.keys(SALE_JOBS).length : 1);
    this.settle(requestId);
  }

  hear(record: OutcomeRecord): void {
    this.lastAt = record.receivedAt;
    const { id, data } = record.event;
    if (this.seen.has(id)) return;
    this.seen.add(id);
    this.count(record);
    if (data.requestId === null) {
      this.unreadableAnswered += 1;
      this.counts.answered += 1;
    } else if (isLast(record)) {
      this.given.set(data.requestId, (this.given.get(data.requestId) ?? 0) + 1);
      this.settle(data.requestId);
      for (const then of this.waiting.get(data.requestId) ?? []) then();
      this.waiting.delete(data.requestId);
    }
  }

  /** Calls back once the request has a last answer. */
  whenAnswered(requestId: string, then: () => void): void {
    if (this.given.has(requestId)) then();
    else this.waiting.set(requestId, [...(this.waiting.get(requestId) ?? []), then]);
  }

  private count({ event: { data } }: OutcomeRecord): void {
    const { counts } = this;
    if (data.outcome === 'completed' && data.type === 'payment-process') counts.charged += 1;
    if (data.outcome === 'completed' && data.type === SALE_JOBS.receipt) counts.receipts += 1;
    if (data.outcome === 'failed' && data.type === 'payment-process') counts.declined += 1;
    if (data.outcome === 'rejected') counts.rejected += 1;
    if (data.outcome === 'duplicate') counts.duplicates += 1;
  }

  /** An answer may come before the confirm of what it answers. */
  private settle(requestId: string): void {
    const owed = this.owed.get(requestId);
    if (owed === undefined || (this.given.get(requestId) ?? 0) < owed) return;
    this.owed.delete(requestId);
    this.counts.answered += 1;
  }
}

/** Another answer follows when a person must act, or when a duplicate's first request is still under way. */
function isLast({ event }: OutcomeRecord): boolean {
  const { outcome, result, error } = event.data;
  if (outcome === 'attention') return false;
  return outcome !== 'duplicate' || result !== null || error !== null;
}

import { KINDS, type OutcomeRecord, type PublishedRecord } from './records';

/** What was asked and what was answered so far: for the progress line, and to know when to stop waiting. */
export class Answers {
  readonly counts = { charged: 0, declined: 0, rejected: 0, duplicates: 0, repeats: 0 };
  /** Requests without their last answer. */
  private readonly open = new Map<string, PublishedRecord>();
  private readonly answered = new Map<string, OutcomeRecord>();
  private readonly seen = new Set<string>();
  private readonly waiting = new Map<string, (() => void)[]>();
  private unreadable = 0;
  private unreadableAnswered = 0;
  private lastAt = Date.now();

  get answeredCount(): number {
    return this.answered.size + this.unreadableAnswered;
  }

  /** Everything that was asked has its last answer. */
  get complete(): boolean {
    return this.open.size === 0 && this.unreadableAnswered >= this.unreadable;
  }

  get quietForMs(): number {
    return Date.now() - this.lastAt;
  }

  expect(record: PublishedRecord): void {
    if (KINDS[record.kind] === 'nothing') return;
    if (record.requestId === null) this.unreadable += 1;
    else if (!this.answered.has(record.requestId)) this.open.set(record.requestId, record);
  }

  hear(record: OutcomeRecord): void {
    this.lastAt = record.receivedAt;
    const { id, data } = record.event;
    if (this.seen.has(id)) {
      this.counts.repeats += 1;
      return;
    }
    this.seen.add(id);
    if (data.outcome === 'completed') this.counts.charged += 1;
    if (data.outcome === 'failed') this.counts.declined += 1;
    if (data.outcome === 'rejected') this.counts.rejected += 1;
    if (data.outcome === 'duplicate') this.counts.duplicates += 1;
    if (data.requestId === null) this.unreadableAnswered += 1;
    else if (isLast(record)) this.settle(data.requestId, record);
  }

  /** Calls back once the request has its last answer. */
  whenAnswered(requestId: string, then: () => void): void {
    if (this.answered.has(requestId)) then();
    else this.waiting.set(requestId, [...(this.waiting.get(requestId) ?? []), then]);
  }

  private settle(requestId: string, record: OutcomeRecord): void {
    this.open.delete(requestId);
    this.answered.set(requestId, record);
    for (const then of this.waiting.get(requestId) ?? []) then();
    this.waiting.delete(requestId);
  }
}

/** Another answer follows when a person must act, or when a duplicate's first request is still under way. */
function isLast({ event }: OutcomeRecord): boolean {
  const { outcome, result, error } = event.data;
  if (outcome === 'attention') return false;
  return outcome !== 'duplicate' || result !== null || error !== null;
}

import { groupBy } from './group';
import type { AnalyticsBooks, ProviderCharge, ProviderMail } from './ledgers';
import { KINDS, type Kind, type OutcomeEvent, type OutcomeRecord, type PublishedRecord } from '../records';

/** What everybody says: who asked, what was answered, who moved the money, who sent the mails, who counted the sales. */
export interface Evidence {
  published: PublishedRecord[];
  outcomes: OutcomeRecord[];
  charges: ProviderCharge[];
  mails: ProviderMail[];
  analytics: AnalyticsBooks;
}

/** One thing on which they disagree, with the id by which it can be looked up. */
export interface Disagreement {
  what: string;
  id: string;
  detail: string;
}

/** A request that the broker confirmed, with its answers in the order in which they came. */
export interface Asked {
  record: PublishedRecord;
  answers: OutcomeEvent[];
}

/** The evidence, sorted for the checks. */
export class Facts {
  /** Requests for a charge that have an id, by it. The same message again is no request of its own. */
  readonly requests = new Map<string, Asked>();
  /** What was said to be paid, by the order. */
  readonly paid = new Map<string, Asked>();
  readonly unreadable: PublishedRecord[] = [];
  /** Each outcome once, however often it was delivered. */
  readonly outcomes: OutcomeEvent[];
  /** Requests about one order share its key, and so its charge. */
  readonly orders = new Map<string, Asked[]>();
  private readonly answers: Map<string | null, OutcomeEvent[]>;

  constructor(readonly evidence: Evidence) {
    this.outcomes = [...new Map(evidence.outcomes.map(({ event }) => [event.id, event])).values()];
    this.answers = groupBy(this.outcomes, (event) => event.data.requestId);
    for (const record of evidence.published) {
      if (record.requestId === null) this.unreadable.push(record);
      else if (record.kind === 'order.paid') this.paid.set(record.order ?? '', this.asked(record));
      else if (KINDS[record.kind] !== 'nothing') this.add(record.requestId, this.asked(record));
    }
  }

  /** Deliveries beyond the first of each outcome. */
  get repeats(): number {
    return this.evidence.outcomes.length - this.outcomes.length;
  }

  ofKind(kind: Kind): Asked[] {
    return this.evidence.published.filter((record) => record.kind === kind).map((record) => this.asked(record));
  }

  completed(asked: Asked): OutcomeEvent[] {
    return asked.answers.filter(({ data }) => data.outcome === 'completed');
  }

  /** The jobs that charged an order; when all is well there is one, or none for an order that was declined. */
  jobsOf(order: string): Set<string | null> {
    const asked = this.orders.get(order) ?? [];
    return new Set(asked.flatMap((one) => this.completed(one)).map(({ data }) => data.jobId));
  }

  /** The completed job of this type that a paid order has. */
  saleJob(paid: Asked, type: string): OutcomeEvent['data'] | undefined {
    return this.completed(paid).find(({ data }) => data.type === type)?.data;
  }

  private asked(record: PublishedRecord): Asked {
    return { record, answers: record.requestId === null ? [] : (this.answers.get(record.requestId) ?? []) };
  }

  private add(requestId: string, asked: Asked): void {
    this.requests.set(requestId, asked);
    const { order } = asked.record;
    if (order === null) return;
    const sameOrder = this.orders.get(order);
    if (sameOrder) sameOrder.push(asked);
    else this.orders.set(order, [asked]);
  }
}

/** What the checks found in the facts. */
export interface Verdict {
  facts: Facts;
  disagreements: Disagreement[];
}

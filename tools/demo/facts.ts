import { groupBy } from './group';
import {
  KINDS,
  type Kind,
  type OutcomeEvent,
  type OutcomeRecord,
  type ProviderCharge,
  type PublishedRecord,
} from './records';

/** What three parties say: who asked, what they were told, and who moved the money. */
export interface Evidence {
  published: PublishedRecord[];
  outcomes: OutcomeRecord[];
  charges: ProviderCharge[];
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
  /** Requests that have an id, by it. The same message again is no request of its own. */
  readonly requests = new Map<string, Asked>();
  readonly unreadable: PublishedRecord[] = [];
  /** Each outcome once, however often it was delivered. */
  readonly outcomes: OutcomeEvent[];
  readonly charges: ProviderCharge[];
  /** Requests about one order share its key, and so its charge. */
  readonly orders = new Map<string, Asked[]>();

  constructor(readonly evidence: Evidence) {
    this.charges = evidence.charges;
    this.outcomes = [...new Map(evidence.outcomes.map(({ event }) => [event.id, event])).values()];
    const answers = groupBy(this.outcomes, (event) => event.data.requestId);
    for (const record of evidence.published) {
      if (record.requestId === null) this.unreadable.push(record);
      else if (KINDS[record.kind] !== 'nothing')
        this.add(record.requestId, record, answers.get(record.requestId) ?? []);
    }
  }

  /** Deliveries beyond the first of each outcome. */
  get repeats(): number {
    return this.evidence.outcomes.length - this.outcomes.length;
  }

  ofKind(kind: Kind): PublishedRecord[] {
    return this.evidence.published.filter((record) => record.kind === kind);
  }

  completed(asked: Asked): OutcomeEvent[] {
    return asked.answers.filter(({ data }) => data.outcome === 'completed');
  }

  /** The jobs that completed for an order; when all is well there is one, or none for an order that was declined. */
  jobsOf(order: string): Set<string | null> {
    const asked = this.orders.get(order) ?? [];
    return new Set(asked.flatMap((one) => this.completed(one)).map(({ data }) => data.jobId));
  }

  private add(requestId: string, record: PublishedRecord, answers: OutcomeEvent[]): void {
    const asked = { record, answers };
    this.requests.set(requestId, asked);
    if (record.order === null) return;
    const sameOrder = this.orders.get(record.order);
    if (sameOrder) sameOrder.push(asked);
    else this.orders.set(record.order, [asked]);
  }
}

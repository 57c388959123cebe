import { randomUUID } from 'node:crypto';
import { CONTENT_TYPE, EXCHANGES, QUEUES, type Tier } from '../../src/contract/names';
import { rejectedOutcome } from '../../src/intake/rejections';
import { readMessage } from '../../src/intake/read-message';
import { TIER_WORK, type TierWork } from './crash-work';
import { jobRequestEvent, type Harness, type RequestParts } from './harness';

/** Requests of which exactly one becomes a job (`completed` or `failed`); the others are its duplicates or refused. */
export interface Group {
  requests: string[];
  ends: 'completed' | 'failed';
  /** Whether it leaves something in the world. */
  hasEffect: boolean;
}

/** What was published for one row of the matrix, and confirmed by the broker. */
export interface Workload {
  tier: Tier;
  source: string;
  /** Tells the effects of this row from those of the others. */
  mark: string;
  groups: Group[];
  /** Requests that can never be accepted. */
  refused: string[];
  /** Ids of the outcomes that answer messages without a readable request id. */
  unreadable: string[];
  /** A request whose job waits for a day, for the operator to cancel. */
  waiting: string | undefined;
  /** How many messages the broker has confirmed. */
  confirmed: number;
}

const DAY_MS = 24 * 60 * 60 * 1_000;

export function emptyWorkload(tier: Tier): Workload {
  const [source, mark] = [`/crash-${randomUUID()}`, randomUUID()];
  return { tier, source, mark, groups: [], refused: [], unreadable: [], waiting: undefined, confirmed: 0 };
}

export class Publishing {
  private readonly work: TierWork;

  constructor(
    private readonly bus: Harness['bus'],
    readonly workload: Workload,
  ) {
    this.work = TIER_WORK[workload.tier];
  }

  /** Work with effects, some that fails, duplicates, a conflict, a line, nonsense, and canaries. */
  async everything(): Promise<void> {
    await this.effectful();
    await this.seenTwice();
    await this.askedThrice();
    await this.failing();
    await this.offeredAgain();
    await this.invalid();
    await this.unreadable();
    if (this.workload.tier === 'money') await this.inLine();
    for (let count = 1; count <= 4; count += 1) await this.canary();
  }

  /** What arrives while the processes run. */
  async some(): Promise<void> {
    await this.effectful();
    await this.askedThrice();
    await this.failing();
    await this.invalid();
    for (let count = 1; count <= 2; count += 1) await this.canary();
  }

  /** To each queue that has messages, behind all of them. */
  async last(): Promise<void> {
    await this.effectful();
    await this.canary();
  }

  async waiting(): Promise<void> {
    const { request } = this.work;
    this.workload.waiting = await this.ask({ ...request(this.workload.mark), options: { delay: DAY_MS } });
  }

  private async effectful(): Promise<void> {
    this.add([await this.once(randomUUID())()], 'completed', true);
  }

  private async seenTwice(): Promise<void> {
    const publish = this.once(randomUUID());
    await publish();
    this.add([await publish()], 'completed', true);
    this.workload.confirmed += 1;
  }

  /** A domain event where the tier has one, else a request; the same one however often it is called. */
  private once(id: string): () => Promise<string> {
    const { mark, source } = this.workload;
    const event = this.work.event?.(mark);
    const request = this.work.request(mark);
    return () => (event ? this.bus.event(event.name, event.data, id, source) : this.ask({ ...request, id }));
  }

  /** Under one key: some work, the same again, and other work, which is refused or was first. */
  private async askedThrice(): Promise<void> {
    const { mark } = this.workload;
    const idempotencyKey = randomUUID();
    const request = { ...this.work.request(mark), idempotencyKey };
    const other = { ...this.work.other(mark), idempotencyKey };
    const ids = [await this.ask(request), await this.ask(request), await this.ask(other)];
    this.add(ids, 'completed', true);
  }

  private async failing(): Promise<void> {
    this.add([await this.ask(this.work.failing(this.workload.mark))], 'failed', false);
  }

  /** Work under one ordering key, of which the first fails. */
  private async inLine(): Promise<void> {
    const { mark } = this.workload;
    const options = { orderingKey: mark };
    this.add([await this.ask({ ...this.work.failing(mark), options })], 'failed', false);
    for (let count = 1; count <= 3; count += 1) {
      this.add([await this.ask({ ...this.work.request(mark), options })], 'completed', true);
    }
  }

  /** As the broker dead-letters a request: taken alone, and counted before it is touched. */
  private async offeredAgain(): Promise<void> {
    const { source, mark, tier } = this.workload;
    const event = jobRequestEvent({ source, ...this.work.request(mark) });
    await this.bus.publish(EXCHANGES.dead, `${tier}.${event.data.type}`, JSON.stringify(event), {
      messageId: event.id,
      headers: { 'x-first-death-queue': QUEUES.requests[tier] },
    });
    this.add([event.id], 'completed', true);
  }

  private async invalid(): Promise<void> {
    this.workload.refused.push(await this.ask(this.work.invalid(this.workload.mark)));
    this.workload.confirmed += 1;
  }

  private async unreadable(): Promise<void> {
    const { tier, source } = this.workload;
    const [content, routingKey] = [Buffer.from(`not JSON, from ${source}`), `${tier}.canary-${tier}`];
    const carried = { contentType: CONTENT_TYPE, headers: {} };
    await this.bus.publish(EXCHANGES.requests, routingKey, content, carried);
    const read = readMessage({ queue: QUEUES.requests[tier], routingKey, content, ...carried });
    if (!('rejection' in read)) throw new Error('it can be read');
    this.workload.unreadable.push(rejectedOutcome(read.rejection, new Date()).id);
    this.workload.confirmed += 1;
  }

  /** Each with a payload of its own, or it would be a duplicate. */
  private async canary(): Promise<void> {
    const { tier, source, groups } = this.workload;
    const id = await this.ask({ type: `canary-${tier}`, data: { n: groups.length, note: source } });
    this.add([id], 'completed', false);
  }

  private ask(parts: Omit<RequestParts, 'source'>): Promise<string> {
    return this.bus.request({ ...parts, source: this.workload.source });
  }

  private add(requests: string[], ends: Group['ends'], hasEffect: boolean): void {
    this.workload.groups.push({ requests, ends, hasEffect });
    this.workload.confirmed += requests.length;
  }
}

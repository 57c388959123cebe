import { randomUUID } from 'node:crypto';
import { EXCHANGES, QUEUES } from '../../src/contract/names';
import { rejectedOutcome } from '../../src/intake/rejections';
import { readMessage } from '../../src/intake/read-message';
import { jobRequestEvent, order, payment, type Harness } from './harness';

/** Requests of which exactly one becomes a job (`completed` or `failed`); the others are its duplicates or refused. */
export interface Group {
  requests: string[];
  ends: 'completed' | 'failed';
  /** Whether it costs a customer something. */
  charges: boolean;
}

/** What was published for one row of the matrix, and confirmed by the broker. */
export interface Workload {
  source: string;
  /** Tells the charges of this row from those of the others. */
  venueId: string;
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

export function emptyWorkload(): Workload {
  const source = `/crash-${randomUUID()}`;
  return { source, venueId: randomUUID(), groups: [], refused: [], unreadable: [], waiting: undefined, confirmed: 0 };
}

export class Publishing {
  constructor(
    private readonly bus: Harness['bus'],
    readonly workload: Workload,
  ) {}

  /** Orders, payments with good cards, a declined one, duplicates, a conflict, nonsense, and canaries. */
  async everything(): Promise<void> {
    await this.order();
    await this.orderSeenTwice();
    await this.paymentAskedThrice();
    await this.declined();
    await this.offeredAgain();
    await this.invalid();
    await this.unreadable();
    for (let count = 1; count <= 4; count += 1) await this.canary();
  }

  /** What arrives while the processes run. */
  async some(): Promise<void> {
    await this.order();
    await this.paymentAskedThrice();
    await this.declined();
    await this.invalid();
    for (let count = 1; count <= 2; count += 1) await this.canary();
  }

  async waiting(): Promise<void> {
    this.workload.waiting = randomUUID();
    await this.payment(this.workload.waiting, {}, { options: { delay: DAY_MS } });
  }

  private async order(): Promise<string> {
    const id = await this.bus.event('order.placed', this.order_(), undefined, this.workload.source);
    this.add([id], 'completed', true);
    return id;
  }

  private async orderSeenTwice(): Promise<void> {
    const data = this.order_();
    const id = await this.bus.event('order.placed', data, undefined, this.workload.source);
    await this.bus.event('order.placed', data, id, this.workload.source);
    this.workload.confirmed += 1;
    this.add([id], 'completed', true);
  }

  private order_(): Record<string, unknown> {
    return order({ venueId: this.workload.venueId });
  }

  /** Under one key: a payment, the same again, and another one, which is refused or was first. */
  private async paymentAskedThrice(): Promise<void> {
    const ids = [randomUUID(), randomUUID(), randomUUID()] as const;
    const data = payment({ venueId: this.workload.venueId });
    const key = { idempotencyKey: ids[0] };
    await this.payment(ids[0], data, key);
    await this.payment(ids[1], data, key);
    await this.payment(ids[2], { ...data, amount: 1 }, key);
    this.add([...ids], 'completed', true);
  }

  private async declined(): Promise<void> {
    const id = await this.payment(randomUUID(), { paymentMethod: 'pm_card_chargeDeclined' });
    this.add([id], 'failed', false);
  }

  /** As the broker dead-letters a request: taken alone, and counted before it is touched. */
  private async offeredAgain(): Promise<void> {
    const { source, venueId } = this.workload;
    const event = jobRequestEvent({ source, type: 'payment-process', data: payment({ venueId }) });
    await this.bus.publish(EXCHANGES.dead, 'money.payment-process', JSON.stringify(event), {
      messageId: event.id,
      headers: { 'x-first-death-queue': QUEUES.requests.money },
    });
    this.add([event.id], 'completed', true);
  }

  private async invalid(): Promise<void> {
    this.workload.refused.push(await this.payment(randomUUID(), { amount: -1 }));
    this.workload.confirmed += 1;
  }

  private async unreadable(): Promise<void> {
    const content = Buffer.from(`not JSON, from ${this.workload.source}`);
    const headers = {};
    const contentType = 'application/cloudevents+json';
    await this.bus.publish(EXCHANGES.requests, 'money.payment-process', content, { contentType, headers });
    const queue = QUEUES.requests.money;
    const read = readMessage({ queue, routingKey: 'money.payment-process', content, contentType, headers });
    if (!('rejection' in read)) throw new Error('it can be read');
    this.workload.unreadable.push(rejectedOutcome(read.rejection, new Date()).id);
    this.workload.confirmed += 1;
  }

  /** Each with a payload of its own, or it would be a duplicate. */
  private async canary(): Promise<void> {
    const { source, groups } = this.workload;
    const n = groups.length;
    const id = await this.bus.request({ source, type: 'canary-money', data: { n, note: source } });
    this.add([id], 'completed', false);
  }

  private payment(id: string, over: Record<string, unknown>, more: object = {}): Promise<string> {
    const { source, venueId } = this.workload;
    return this.bus.request({ id, source, type: 'payment-process', data: payment({ venueId, ...over }), ...more });
  }

  private add(requests: string[], ends: Group['ends'], charges: boolean): void {
    this.workload.groups.push({ requests, ends, charges });
    this.workload.confirmed += requests.length;
  }
}

/** What a program that knows nothing but the public contract gets from the service: see plain-service.ts. */
import { randomUUID } from 'node:crypto';
import type { PlainService } from '../support/plain-service';
import { expectCarried, faultsIn, openPlainStage, payment, PAYMENT, type PlainStage } from '../support/plain-stage';

let stage: PlainStage;
let shop: PlainService;

beforeAll(async () => {
  stage = await openPlainStage();
  shop = stage.shop;
}, 120_000);
afterAll(() => stage?.close());

afterEach(() => stage.stripe.clearFaults());
describe('a job request', () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';

  it('that can be done is answered once as completed, to its source and to whoever listens to its queue', async () => {
    const idempotencyKey = `order-${randomUUID()}-payment`;
    const correlationid = `order-${randomUUID()}`;
    const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
    const more = { idempotencyKey, queue: 'money', options: { priority: 10, attempts: 3, timeout: 30_000, delay: 0 } };
    const id = await shop.request({ key: PAYMENT, data: payment(), correlationid, traceparent, more });

    const heard = await shop.answer(id, 'completed');
    expectCarried(heard, `${PAYMENT}.completed`);
    expect(heard.event.data).toMatchObject({
      queue: 'money',
      type: 'payment-process',
      requestId: id,
      correlationId: correlationid,
      idempotencyKey,
      generation: 1,
      sequence: 1,
      attempts: 1,
      result: { transactionId: heard.event.data.jobId, amount: 10_000, currency: 'USD', status: 'completed' },
    });
    expect(heard.event.traceparent?.split('-')[1]).toBe(traceId);
    await shop.hasOverheard(heard);
    expect(shop.outcomesTo(id)).toEqual(['completed']);
  });

  it('whose card is declined is answered as failed, with a reason and whether a replay can help', async () => {
    const declined = { paymentMethod: 'pm_card_chargeDeclinedInsufficientFunds' };
    const id = await shop.request({ key: PAYMENT, data: payment(declined) });
    const heard = await shop.answer(id, 'failed');
    expectCarried(heard, `${PAYMENT}.failed`);
    expect(heard.event.data.error).toMatchObject({ code: 'insufficient_funds', replayable: true });
    expect(shop.outcomesTo(id)).toEqual(['failed']);
  });

  it('that its customer must confirm is answered as attention, without a secret, and is not ended by that', async () => {
    const data = payment({ paymentMethod: 'pm_card_authenticationRequired' });
    const id = await shop.request({ key: PAYMENT, data });
    const heard = await shop.answer(id, 'attention');
    expectCarried(heard, `${PAYMENT}.attention`);
    expect(JSON.stringify(heard.event)).not.toMatch(/secret/i);
    const again = await shop.request({ key: PAYMENT, data });
    const { event } = await shop.answer(again, 'duplicate');
    expect(event.data).toMatchObject({ jobId: heard.event.data.jobId, result: null, finishedAt: null });
  });

  it.each<[string, Record<string, unknown>]>([
    [PAYMENT, payment()],
    ['communication.canary-communication', { n: 1 }],
    ['background.canary-background', { n: 1 }],
  ])('for %s that has expired is answered as failed, and was never started', async (key, data) => {
    const options = { expiresAt: new Date(Date.now() - 1_000).toISOString() };
    const id = await shop.request({ key, data, more: { options, idempotencyKey: randomUUID() } });
    const { event } = await shop.answer(id, 'failed');
    expect(event.data).toMatchObject({ error: { code: 'EXPIRED' }, attempts: 0, startedAt: null });
  });

  it.each(['communication', 'background'])('of the %s tier is answered by the same form', async (tier) => {
    const key = `${tier}.canary-${tier}`;
    const more = { idempotencyKey: randomUUID() };
    const id = await shop.request({ key, data: { n: 5 }, correlationid: 'order-1', more });
    const heard = await shop.answer(id, 'completed');
    expectCarried(heard, `${key}.completed`);
    expect(heard.event.data).toMatchObject({ queue: tier, generation: 1, sequence: 1, attempts: 1, result: { n: 5 } });

    const second = await shop.request({ key, data: { n: 5 }, more });
    const duplicate = await shop.answer(second, 'duplicate');
    expectCarried(duplicate, `${key}.duplicate`);
    expect(duplicate.event.data).toMatchObject({ jobId: heard.event.data.jobId, result: { n: 5 } });

    const conflict = await shop.request({ key, data: { n: 6 }, more });
    const refused = await shop.answer(conflict, 'rejected');
    expectCarried(refused, `${key}.rejected`);
    expect(refused.event.data.error?.code).toBe('IDEMPOTENCY_CONFLICT');
  });
});

describe('order.placed', () => {
  const order = (orderId: string) => ({
    ...payment(),
    orderId,
    email: 'guest@example.com',
    tickets: [{ ticketId: randomUUID(), seatId: 'A-1' }],
  });

  it('asks for the payment of its order, once, whatever event says it', async () => {
    const orderId = randomUUID();
    const placed = order(orderId);
    const id = await shop.domainEvent('order.placed', placed);
    const heard = await shop.answer(id, 'completed');
    expectCarried(heard, `${PAYMENT}.completed`);
    expect(heard.event.data.idempotencyKey).toBe(`order-${orderId}-payment`);

    await shop.domainEvent('order.placed', placed, id);
    const other = await shop.domainEvent('order.placed', placed);
    const { event } = await shop.answer(other, 'duplicate');
    expect(event.data).toMatchObject({ jobId: heard.event.data.jobId, result: heard.event.data.result });
    expect(shop.outcomesTo(id)).toEqual(['completed']);
    const charges = stage.stripe.ledger().filter(({ metadata }) => metadata['job_id'] === heard.event.data.jobId);
    expect(charges).toHaveLength(1);
  });
});

describe('the same work asked for again', () => {
  it('while it is under way is answered at once, and a second time with the result', async () => {
    const request = { key: PAYMENT, data: payment(), more: { idempotencyKey: randomUUID() } };
    const held = stage.stripe.fault({ kind: 'slow' });
    const first = await shop.request(request);
    await held.reached;
    const second = await shop.request(request);
    const atOnce = await shop.answer(second, 'duplicate');
    expectCarried(atOnce, `${PAYMENT}.duplicate`);
    expect(atOnce.event.data).toMatchObject({ requestId: second, result: null, error: null, finishedAt: null });
    held.release();

    const { event: completed } = await shop.answer(first, 'completed');
    const { event: later } = await shop.answer(second, 'duplicate', 1);
    expect(later.data).toMatchObject({ jobId: completed.data.jobId, result: completed.data.result });
    expect(later.data.sequence).toBeGreaterThan(atOnce.event.data.sequence);
    expect(later.id).not.toBe(atOnce.event.id);
    expect(shop.outcomesTo(second)).toEqual(['duplicate', 'duplicate']);
  });

  it('after it is done is answered with the result', async () => {
    const request = { key: PAYMENT, data: payment() };
    const first = await shop.answer(await shop.request(request), 'completed');
    const again = await shop.request(request);
    const { event } = await shop.answer(again, 'duplicate');
    expect(event.data).toMatchObject({ jobId: first.event.data.jobId, result: first.event.data.result });
    expect(event.data.finishedAt).toBe(first.event.data.finishedAt);
    expect(shop.outcomesTo(again)).toEqual(['duplicate']);
  });
});

it('an event that nobody knows comes back to its publisher', async () => {
  await expect(shop.domainEvent('order.unheard-of', {})).rejects.toThrow('no queue takes');
});

it('every outcome came to both queues in the form of the contract, and one id never stood for two', async () => {
  expect(await faultsIn(shop)).toEqual([]);
});

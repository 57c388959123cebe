/** Payments and refunds by Square, in a service that has accounts at both providers. */
import { randomUUID } from 'node:crypto';
import { SQUARE_KEY_WINDOW_MS } from '../../../src/providers/square/adapter';
import { around } from '../../support/around';
import { gate, openHarness, payment, type Harness } from '../../support/harness';
import { MoneyRows, quick } from '../../support/money';
import { post, squareVariables } from '../../support/sandbox/square/paying';
import { startSquareSandbox, type SquareSandbox } from '../../support/sandbox/square/sandbox';

const HOUR_MS = 3_600_000;

let harness: Harness;
let square: SquareSandbox;
let rows: MoneyRows;
/** While set, starts of jobs wait for it. */
let hold: ReturnType<typeof gate<undefined>> | undefined;

beforeAll(async () => {
  square = await startSquareSandbox();
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
  const start = async (run: () => Promise<unknown>) => {
    await hold?.opened;
    return run();
  };
  await harness.startService({ decorate: around({ start }) }, quick, squareVariables(square.url));
});
afterAll(async () => {
  await harness?.close();
  await square?.close();
});
afterEach(() => {
  hold?.open(undefined);
  hold = undefined;
  square.clearFaults();
});

const bySquare = { provider: 'square', paymentMethod: 'cnon:card-nonce-ok' };
const outcome = (id: string, name?: string) => harness.bus.outcomeOf(id, name);

function pay(over: Record<string, unknown> = {}): Promise<string> {
  return harness.bus.request({ type: 'payment-process', data: payment({ ...bySquare, ...over }) });
}

/** A payment of 10,000 cents that was taken. */
async function paid() {
  const who = { userId: randomUUID(), venueId: randomUUID() };
  const { data } = await outcome(await pay(who), 'completed');
  const { chargeId } = { chargeId: '', ...(data.result as object) };
  return { transactionId: data.jobId ?? '', chargeId, ...who };
}
type Paid = Awaited<ReturnType<typeof paid>>;

function refund({ transactionId, userId, venueId }: Paid, amount = 10_000, over = {}): Promise<string> {
  const data = { transactionId, userId, venueId, amount, reason: 'requested_by_customer', ...over };
  const own = amount === 10_000 ? {} : { idempotencyKey: randomUUID() };
  return harness.bus.request({ type: 'refund-process', data, ...own });
}

const refundsOf = ({ chargeId }: Paid) => square.refunds().filter(({ paymentId }) => paymentId === chargeId);
const paymentOf = (chargeId: unknown) => square.payments().filter(({ paymentId }) => paymentId === chargeId);

describe('a payment', () => {
  it('is taken by Square, once, and not by Stripe', async () => {
    const { data } = await outcome(await pay(), 'completed');

    expect(data.result).toMatchObject({
      provider: 'square',
      transactionId: data.jobId,
      amount: 10_000,
      currency: 'USD',
    });
    expect(data.result).not.toHaveProperty('paymentIntentId');
    expect(square.payments()).toMatchObject([{ amount: 10_000, calls: 1 }]);
    expect(harness.stripe.ledger()).toEqual([]);
  });

  it('that the bank declines fails at once, and can be replayed', async () => {
    const { data } = await outcome(await pay({ paymentMethod: 'cnon:card-nonce-declined' }), 'failed');

    expect(data).toMatchObject({ attempts: 1, error: { code: 'GENERIC_DECLINE', replayable: true } });
  });

  it('whose answer is lost is asked for again under the same key: one payment', async () => {
    const before = square.payments().length;
    square.fault({ kind: 'lose-answer' });
    const { data } = await outcome(await pay(), 'completed');

    expect(data.attempts).toBe(2);
    expect(square.payments().slice(before)).toMatchObject([{ calls: 2 }]);
  });

  it('is looked up when Square may have forgotten the key: one payment', async () => {
    const before = square.payments().length;
    square.fault({ kind: 'lose-answer' });
    const id = await pay();
    const job = await rows.until('the first attempt is over', id, ({ finishes }) => finishes === 1);
    hold = gate<undefined>();
    square.expireKeys();
    await rows.age(job.id, SQUARE_KEY_WINDOW_MS / HOUR_MS);
    hold.open(undefined);

    const { data } = await outcome(id, 'completed');
    expect(square.payments().slice(before)).toMatchObject([{ calls: 1 }]);
    expect(paymentOf(Reflect.get(Object(data.result), 'chargeId'))).toHaveLength(1);
  });
});

describe('a refund', () => {
  it('follows its payment to Square, though nobody says so', async () => {
    const all = await paid();
    const { data } = await outcome(await refund(all), 'completed');

    const [given] = refundsOf(all);
    expect(refundsOf(all)).toMatchObject([{ amount: 10_000, calls: 1 }]);
    expect(data.result).toMatchObject({ provider: 'square', refundId: given?.refundId, status: 'pending' });
    expect(harness.stripe.refunds()).toEqual([]);
  });

  it('of another provider is none of this payment', async () => {
    const { data } = await outcome(await refund(await paid(), 10_000, { provider: 'stripe' }), 'failed');

    expect(data.error).toMatchObject({ code: 'PAYMENT_MISMATCH' });
  });

  it('of parts leaves the rest; more than the rest fails', async () => {
    const all = await paid();
    expect((await outcome(await refund(all, 6_000), 'completed')).data.result).toMatchObject({ amount: 6_000 });
    const { data } = await outcome(await refund(all, 4_001), 'failed');

    expect(data).toMatchObject({ attempts: 1, error: { code: 'REFUND_EXCEEDS_PAYMENT', replayable: false } });
  });

  it('of what somebody refunded in the dashboard is success', async () => {
    const all = await paid();
    for (const amount of [4_000, 6_000]) {
      const body = { payment_id: all.chargeId, amount_money: { amount, currency: 'USD' } };
      await post(square.url, '/v2/refunds', { ...body, idempotency_key: randomUUID() });
    }
    const { data } = await outcome(await refund(all), 'completed');

    expect(data.result).toMatchObject({ amount: 10_000, alreadyRefunded: true });
    expect(refundsOf(all)).toHaveLength(2);
  });

  it('whose answer is lost is looked up when Square may have forgotten the key: one refund', async () => {
    const all = await paid();
    square.fault({ kind: 'lose-answer', match: { path: '/v2/refunds' } });
    const id = await refund(all, 100);
    const job = await rows.until('the first attempt is over', id, ({ finishes }) => finishes === 1);
    hold = gate<undefined>();
    square.expireKeys();
    await rows.age(job.id, SQUARE_KEY_WINDOW_MS / HOUR_MS);
    hold.open(undefined);

    await outcome(id, 'completed');
    expect(refundsOf(all)).toMatchObject([{ amount: 100, calls: 1 }]);
  });
});

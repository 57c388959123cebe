import { randomUUID } from 'node:crypto';
import { STRIPE_KEY_WINDOW_MS } from '../../../src/providers/stripe/adapter';
import type { Service } from '../../../src/service';
import { around } from '../../support/around';
import { eventually, gate, openHarness, payment, type Harness, type ReceivedOutcome } from '../../support/harness';
import { MoneyRows, quick } from '../../support/money';
import { post } from '../../support/sandbox/stripe/charging';

const HOUR_MS = 3_600_000;

let harness: Harness;
let rows: MoneyRows;
/** While set, starts of jobs wait for it. */
let hold: ReturnType<typeof gate<undefined>> | undefined;

beforeAll(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
  await start();
});
afterAll(() => harness?.close());
afterEach(() => {
  hold?.open(undefined);
  hold = undefined;
  harness.stripe.clearFaults();
});

function start(): Promise<Service> {
  const waitForHold = async (run: () => Promise<unknown>) => {
    await hold?.opened;
    return run();
  };
  return harness.startService({ decorate: around({ start: waitForHold }) }, quick);
}

interface Paid {
  transactionId: string;
  paymentIntentId: string;
  userId: string;
  venueId: string;
}

const outcome = (id: string, name?: string) => harness.bus.outcomeOf(id, name);

/** A payment of 10,000 cents that was charged. */
async function paid(over: Record<string, unknown> = {}): Promise<Paid> {
  const data = { userId: randomUUID(), venueId: randomUUID(), ...over };
  const { data: completed } = await outcome(
    await harness.bus.request({ type: 'payment-process', data: payment(data) }),
    'completed',
  );
  const transactionId = completed.jobId ?? '';
  const charge = harness.stripe.ledger().find(({ metadata }) => metadata['job_id'] === transactionId);
  return { transactionId, paymentIntentId: charge?.paymentIntentId ?? '', ...data };
}

/** Asks for a refund of all of it, unless told otherwise. */
function refund(
  { transactionId, userId, venueId }: Omit<Paid, 'paymentIntentId'>,
  over: Record<string, unknown> = {},
  parts: { idempotencyKey?: string; options?: Record<string, unknown> } = {},
): Promise<string> {
  const data = { transactionId, userId, venueId, amount: 10_000, reason: 'requested_by_customer', ...over };
  return harness.bus.request({ type: 'refund-process', data, ...parts });
}

const partOf = (all: Paid, amount: number) => refund(all, { amount }, { idempotencyKey: randomUUID() });

const refundsOf = ({ paymentIntentId }: Paid) =>
  harness.stripe.refunds().filter((one) => one.paymentIntentId === paymentIntentId);

describe('a refund', () => {
  it('of everything goes back to the card once, and says so', async () => {
    const all = await paid();
    const { data, routingKey } = await outcome(await refund(all), 'completed');

    expect(routingKey).toBe('money.refund-process.completed');
    const [given] = refundsOf(all);
    expect(refundsOf(all)).toMatchObject([
      {
        amount: 10_000,
        reason: 'requested_by_customer',
        metadata: { job_id: data.jobId, transaction_id: all.transactionId, venue_id: all.venueId },
      },
    ]);
    expect(data).toMatchObject({
      attempts: 1,
      result: {
        refundId: given?.refundId,
        transactionId: all.transactionId,
        provider: 'stripe',
        amount: 10_000,
        currency: 'USD',
        status: 'completed',
      },
    });
    expect(data.result).not.toHaveProperty('alreadyRefunded');
    expect(await rows.effects(data.jobId ?? '')).toMatchObject([{ name: 'refund', number: 1, state: 'done' }]);
  });

  it('asked for twice is one refund', async () => {
    const all = await paid();
    const { data } = await outcome(await refund(all), 'completed');

    expect((await outcome(await refund(all), 'duplicate')).data.jobId).toBe(data.jobId);
    expect(refundsOf(all)).toHaveLength(1);
  });

  it('of a part, and of another part, leaves the rest; more than the rest fails', async () => {
    const all = await paid();
    for (const amount of [4_000, 4_000]) {
      expect((await outcome(await partOf(all, amount), 'completed')).data.result).toMatchObject({ amount });
    }
    const { data } = await outcome(await partOf(all, 2_001), 'failed');

    expect(data).toMatchObject({ attempts: 1, error: { code: 'REFUND_EXCEEDS_PAYMENT', replayable: false } });
    expect(refundsOf(all).map(({ amount }) => amount)).toEqual([4_000, 4_000]);
  });

  it('of a part without a key of its own fails, since the next part would be taken for it', async () => {
    const all = await paid();
    const { data } = await outcome(await refund(all, { amount: 1 }), 'failed');

    expect(data.error).toMatchObject({ code: 'IDEMPOTENCY_KEY_REQUIRED', replayable: false });
    expect(refundsOf(all)).toEqual([]);
  });

  it('that waits for the bank says so', async () => {
    const all = await paid({ paymentMethod: 'pm_card_pendingRefund' });

    expect((await outcome(await refund(all), 'completed')).data.result).toMatchObject({ status: 'pending' });
  });

  it.each([
    ['whole', undefined, [10_000]],
    ['part', 300, [10_000]],
    ['whole, in parts', undefined, [4_000, 6_000]],
  ])('of what somebody refunded in the dashboard is success (%s)', async (_, amount, parts) => {
    const all = await paid();
    for (const part of parts) {
      await post(harness.stripe.url, '/v1/refunds', { payment_intent: all.paymentIntentId, amount: `${part}` });
    }
    const id = amount === undefined ? await refund(all) : await partOf(all, amount);
    const { data } = await outcome(id, 'completed');

    expect(data.result).toMatchObject({
      refundId: refundsOf(all).at(-1)?.refundId,
      amount: amount ?? 10_000,
      status: 'completed',
      alreadyRefunded: true,
    });
    expect(refundsOf(all).map((given) => given.amount)).toEqual(parts);
    expect(await rows.effects(data.jobId ?? '')).toMatchObject([{ state: 'absent' }]);
  });
});

describe('a refund that cannot be', () => {
  it.each<[string, (all: Paid) => Record<string, unknown>, string]>([
    ['of another user', () => ({ userId: randomUUID() }), 'PAYMENT_MISMATCH'],
    ['of another venue', () => ({ venueId: randomUUID() }), 'PAYMENT_MISMATCH'],
    ['of no payment', () => ({ transactionId: randomUUID() }), 'PAYMENT_NOT_FOUND'],
    ['of more than was paid', () => ({ amount: 10_001 }), 'REFUND_EXCEEDS_PAYMENT'],
  ])('%s fails at once, without a call', async (_, over, code) => {
    const all = await paid();
    const calls = harness.stripe.calls();
    const { data } = await outcome(await refund(all, over(all)), 'failed');

    expect(data).toMatchObject({ attempts: 1, error: { code, replayable: false } });
    expect(harness.stripe.calls()).toBe(calls);
    expect((await rows.find(data.requestId ?? ''))?.held).toBe(false);
  });

  it('of something that is no payment fails', async () => {
    const { data: canary } = await outcome(
      await harness.bus.request({ type: 'canary-money', data: { n: 1 } }),
      'completed',
    );
    const all = { transactionId: canary.jobId ?? '', userId: randomUUID(), venueId: randomUUID() };

    expect((await outcome(await refund(all), 'failed')).data.error).toMatchObject({ code: 'PAYMENT_NOT_FOUND' });
  });

  it('of a payment that was declined fails, and can be replayed should that payment be made good', async () => {
    const data = payment({ paymentMethod: 'pm_card_chargeDeclined' });
    const { data: declined } = await outcome(await harness.bus.request({ type: 'payment-process', data }), 'failed');
    const all = {
      transactionId: declined.jobId ?? '',
      userId: String(data['userId']),
      venueId: String(data['venueId']),
    };

    expect((await outcome(await refund(all), 'failed')).data.error).toMatchObject({
      code: 'PAYMENT_NOT_COMPLETED',
      replayable: true,
    });
  });

  it('of a payment that the customer disputes fails', async () => {
    const all = await paid({ paymentMethod: 'pm_card_createDispute' });

    expect((await outcome(await refund(all), 'failed')).data.error).toMatchObject({
      code: 'PAYMENT_DISPUTED',
      replayable: true,
    });
  });

  it('of a payment that is under way is tried again, and done when the payment is', async () => {
    const slow = harness.stripe.fault({ kind: 'slow', match: { path: '/v1/payment_intents' } });
    const data = payment();
    const id = await harness.bus.request({ type: 'payment-process', data });
    await slow.reached;
    const { id: transactionId } = await rows.until('it is recorded', id, () => true);
    const all = { transactionId, userId: String(data['userId']), venueId: String(data['venueId']) };
    const asked = await refund(all);
    await rows.until('the refund waits for it', asked, ({ reason }) => reason === 'PAYMENT_UNFINISHED');
    slow.release();

    expect((await outcome(asked, 'completed')).data.result).toMatchObject({ transactionId, amount: 10_000 });
  });
});

describe('an answer that nobody got', () => {
  it('is asked for again under the same key: one refund', async () => {
    const all = await paid();
    harness.stripe.fault({ kind: 'lose-answer', match: { path: '/v1/refunds' } });
    const { data } = await outcome(await partOf(all, 100), 'completed');

    expect(data).toMatchObject({ attempts: 2, result: { refundId: refundsOf(all)[0]?.refundId } });
    expect(refundsOf(all)).toMatchObject([{ amount: 100, calls: 2 }]);
  });

  it('is looked up where Stripe stored a failure after it had given back: one refund', async () => {
    const all = await paid();
    harness.stripe.fault({ kind: 'fail-after-effect', match: { path: '/v1/refunds' } });
    const { data } = await outcome(await partOf(all, 100), 'completed');

    expect(data).toMatchObject({ attempts: 3 });
    expect(refundsOf(all)).toMatchObject([{ amount: 100, calls: 2 }]);
  });

  it('is looked up when Stripe may have forgotten the key: one refund', async () => {
    const all = await paid();
    harness.stripe.fault({ kind: 'lose-answer', match: { path: '/v1/refunds' } });
    const id = await partOf(all, 100);
    const job = await rows.until('the first attempt is over', id, ({ finishes }) => finishes === 1);
    hold = gate<undefined>();
    harness.stripe.expireKeys();
    await rows.age(job.id, STRIPE_KEY_WINDOW_MS / HOUR_MS);
    hold.open(undefined);

    expect((await outcome(id, 'completed')).data).toMatchObject({ attempts: 2 });
    expect(refundsOf(all)).toMatchObject([{ amount: 100, calls: 1 }]);
  });

  it('is found not to have happened once no earlier call can do so any more, and then asked for under the next key', async () => {
    const all = await paid();
    harness.stripe.fault({ kind: 'fail-before-effect', match: { path: '/v1/refunds' } });
    const id = await partOf(all, 100);
    const job = await rows.until('its key can tell nothing more', id, ({ finishes }) => finishes === 2);
    hold = gate<undefined>();
    expect(refundsOf(all)).toEqual([]);
    await rows.age(job.id, 1);
    hold.open(undefined);

    const { data } = await outcome(id, 'completed');
    expect(await rows.effects(data.jobId ?? '')).toMatchObject([
      { number: 1, state: 'absent' },
      { number: 2, state: 'done' },
    ]);
    expect(refundsOf(all)).toHaveLength(1);
  });

  it('leaves the job in doubt when its attempts are spent, and the next request under its key a duplicate', async () => {
    const all = await paid();
    harness.stripe.fault({ kind: 'lose-answer', match: { path: '/v1/refunds' } });
    const { data } = await outcome(await refund(all, {}, { options: { attempts: 1 } }));

    expect(data).toMatchObject({ outcome: 'attention', error: { code: 'ECONNRESET' } });
    const again: ReceivedOutcome = await outcome(await refund(all));
    expect(again.data).toMatchObject({ outcome: 'duplicate', jobId: data.jobId });
    expect(refundsOf(all)).toHaveLength(1);
  });
});

it('a rate limit is waited for, and no attempt is spent', async () => {
  const all = await paid();
  harness.stripe.fault({ kind: 'rate-limit', retryAfterSeconds: 1, match: { path: '/v1/refunds' } });

  expect((await outcome(await refund(all), 'completed')).data).toMatchObject({ attempts: 1 });
  await eventually('there is one refund', () => refundsOf(all).length === 1);
});

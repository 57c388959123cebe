/** Refunds through the real adapter and SDK against the sandbox: each answer that Stripe can give, and what it is for us. */
import {
  createStripeAdapter,
  type Refund,
  type RefundRequest,
  type StripeAdapter,
} from '../../src/providers/stripe/adapter';
import { chargeRequest, effectCall, refundRequest, SECRET_KEY } from '../support/sandbox/stripe/charging';
import { startStripeSandbox, type StripeSandbox } from '../support/sandbox/stripe/sandbox';

let sandbox: StripeSandbox;
let stripe: StripeAdapter;

beforeEach(async () => {
  sandbox = await startStripeSandbox();
  stripe = createStripeAdapter({ secretKey: SECRET_KEY, apiBase: sandbox.url });
});
afterEach(() => sandbox.close());

/** A charge of 5000, by its PaymentIntent. */
async function charged(paymentMethod = 'pm_card_visa'): Promise<string> {
  const answer = await stripe.charge(chargeRequest({ paymentMethod }), effectCall('charge-1'));
  if (answer.kind !== 'done') throw new Error(`not charged: ${answer.code}`);
  return answer.value.paymentIntentId;
}

const refund = (paymentIntentId: string, key: string, changes: Partial<RefundRequest> = {}) =>
  stripe.refund(refundRequest(paymentIntentId, changes), effectCall<Refund>(key));
const find = (paymentIntentId: string, key: string) => stripe.findRefund(paymentIntentId, key, effectCall(key));

describe('a refund that succeeds', () => {
  it('says what was given back, and Stripe holds the ids that find it again', async () => {
    const intent = await charged();
    const answer = await refund(intent, 'job-2:refund:1', { reason: 'duplicate', metadata: { venue_id: 'venue-7' } });

    const [refunded] = sandbox.refunds();
    expect(answer).toEqual({
      kind: 'done',
      value: { refundId: refunded?.refundId, amount: 5000, currency: 'usd', status: 'completed' },
      reference: refunded?.refundId,
    });
    expect(sandbox.refunds()).toMatchObject([
      {
        paymentIntentId: intent,
        idempotencyKey: 'job-2:refund:1',
        amount: 5000,
        reason: 'duplicate',
        metadata: { venue_id: 'venue-7', job_id: 'job-2', provider_key: 'job-2:refund:1' },
        calls: 1,
      },
    ]);
  });

  it('of a part leaves the rest to others', async () => {
    const intent = await charged();
    const answers = [
      await refund(intent, 'key-1', { amount: 2000 }),
      await refund(intent, 'key-2', { amount: 3000 }),
      await refund(intent, 'key-3', { amount: 1 }),
    ];

    expect(answers.map((answer) => (answer.kind === 'done' ? answer.value.amount : answer.kind))).toEqual([
      2000,
      3000,
      'declined',
    ]);
  });

  it('is not repeated by the same key', async () => {
    const intent = await charged();
    const first = await refund(intent, 'key-1', { amount: 2000 });
    const second = await refund(intent, 'key-1', { amount: 2000 });

    expect(first.kind).toBe('done');
    expect(second).toEqual(first);
    expect(sandbox.refunds()).toMatchObject([{ amount: 2000, calls: 2 }]);
  });

  it('later is pending, and then found as completed', async () => {
    const intent = await charged('pm_card_pendingRefund');

    expect(await refund(intent, 'key-1')).toMatchObject({ kind: 'done', value: { status: 'pending' } });
    sandbox.passTime();
    expect(await find(intent, 'key-1')).toMatchObject({ kind: 'done', value: { status: 'completed' } });
  });
});

describe('a definite no', () => {
  it.each<[string, string, number, string]>([
    ['more than the charge', 'pm_card_visa', 5001, 'REFUND_EXCEEDS_PAYMENT'],
    ['a charge that the customer took back by the bank', 'pm_card_createDispute', 5000, 'PAYMENT_DISPUTED'],
    ['nothing', 'pm_card_visa', 0, 'INVALID_REQUEST'],
  ])('%s', async (_, paymentMethod, amount, code) => {
    const intent = await charged(paymentMethod);

    expect(await refund(intent, 'key-1', { amount })).toMatchObject({ kind: 'declined', code });
    expect(sandbox.refunds()).toEqual([]);
  });

  it('more than is left of the charge', async () => {
    const intent = await charged();
    await refund(intent, 'key-1', { amount: 4000 });

    expect(await refund(intent, 'key-2', { amount: 1001 })).toMatchObject({
      kind: 'declined',
      code: 'REFUND_EXCEEDS_PAYMENT',
    });
  });

  it('everything was given back already, and the refunds that did it are found and summed up', async () => {
    const intent = await charged();
    await refund(intent, 'key-1', { amount: 4000 });
    const last = await refund(intent, 'key-2', { amount: 1000 });

    expect(await refund(intent, 'key-3', { amount: 5000 })).toMatchObject({
      kind: 'declined',
      code: 'ALREADY_REFUNDED',
    });
    expect(last).toMatchObject({ kind: 'done', value: { amount: 1000 } });
    const all = { ...last, value: { ...('value' in last ? last.value : undefined), amount: 5000 } };
    expect(await stripe.allRefunds(intent, effectCall('key-3'))).toEqual(all);
    expect(sandbox.refunds()).toHaveLength(2);
  });

  it('there is no charge: the payment was declined, or waits for the customer, or is not known', async () => {
    const declined = await stripe.charge(
      chargeRequest({ paymentMethod: 'pm_card_chargeDeclined' }),
      effectCall('charge-1'),
    );
    const held = await stripe.charge(
      chargeRequest({ paymentMethod: 'pm_card_authenticationRequired' }),
      effectCall('charge-2'),
    );
    const intents = [declined, held].map((answer) => ('reference' in answer ? (answer.reference ?? '') : ''));

    expect(intents.every((intent) => intent.startsWith('pi_'))).toBe(true);
    for (const [index, intent] of intents.entries()) {
      expect(await refund(intent, `key-${index}`)).toMatchObject({ kind: 'declined', code: 'NOT_REFUNDABLE' });
    }
    expect(await refund('pi_none', 'key-3')).toMatchObject({ kind: 'declined', code: 'INVALID_REQUEST' });
  });

  it('the key was used for another refund', async () => {
    const intent = await charged();
    await refund(intent, 'key-1', { amount: 100 });

    expect(await refund(intent, 'key-1', { amount: 200 })).toMatchObject({
      kind: 'unknown',
      code: 'IDEMPOTENCY_MISMATCH',
      replayed: true,
    });
  });
});

describe('a definite no for the moment', () => {
  it.each([
    ['rate-limit', { code: 'RATE_LIMITED', retryAfterMs: 7000 }],
    ['unauthorized', { code: 'AUTHENTICATION' }],
  ] as const)('%s: nothing was given back, and the same key does it later', async (kind, answer) => {
    const intent = await charged();
    sandbox.fault({ kind, retryAfterSeconds: 7 });

    expect(await refund(intent, 'key-1')).toMatchObject({ kind: 'refused', ...answer });
    expect(sandbox.refunds()).toEqual([]);
    expect((await refund(intent, 'key-1')).kind).toBe('done');
  });
});

describe('when nobody knows', () => {
  it.each(['lose-answer', 'fail-after-effect'] as const)('%s: the list tells that it happened', async (kind) => {
    const intent = await charged();
    sandbox.fault({ kind });

    expect((await refund(intent, 'key-1')).kind).toBe('unknown');
    sandbox.expireKeys();
    expect(await find(intent, 'key-1')).toMatchObject({
      kind: 'done',
      reference: sandbox.refunds()[0]?.refundId,
    });
    expect(sandbox.refunds()).toMatchObject([{ calls: 1 }]);
  });

  it.each(['unavailable', 'fail-before-effect', 'reset-before'] as const)(
    '%s: the list tells that it did not',
    async (kind) => {
      const intent = await charged();
      await refund(intent, 'key-0', { amount: 10 });
      sandbox.fault({ kind });

      expect((await refund(intent, 'key-1')).kind).toBe('unknown');
      expect(await find(intent, 'key-1')).toEqual({ kind: 'absent' });
    },
  );

  it('a refund that the bank has sent back did not happen', async () => {
    const intent = await charged('pm_card_refundFail');
    await refund(intent, 'key-1');
    expect((await find(intent, 'key-1')).kind).toBe('done');

    sandbox.passTime();
    expect(await find(intent, 'key-1')).toEqual({ kind: 'absent' });
    expect((await refund(intent, 'key-2')).kind).toBe('done');
  });

  it('a refund is found on whatever page it is', async () => {
    const intent = await charged();
    for (let number = 1; number <= 101; number += 1) await refund(intent, `key-${number}`, { amount: 1 });

    expect((await find(intent, 'key-1')).kind).toBe('done');
    expect(await find(intent, 'key-102')).toEqual({ kind: 'absent' });
  });

  it.each(['unavailable', 'rate-limit', 'hang'] as const)('a list that fails (%s) is never "absent"', async (kind) => {
    const intent = await charged();
    const stop = new AbortController();
    const fault = sandbox.fault({ kind });
    const found = stripe.findRefund(intent, 'key-1', effectCall('key-1', { signal: stop.signal }));
    await fault.reached;
    if (kind === 'hang') stop.abort();

    expect((await found).kind).toBe('unknown');
  });
});

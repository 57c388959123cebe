/** The real adapter and SDK against the sandbox: each answer that Square can give, and what it is for the service. */
import {
  createSquareAdapter,
  squareKey,
  type SquareAdapter,
  type SquareCharge,
  type SquareChargeRequest,
  type SquareRefund,
} from '../../src/providers/square/adapter';
import { ACCESS_TOKEN, chargeRequest, post } from '../support/sandbox/square/paying';
import { startSquareSandbox, type SquareSandbox } from '../support/sandbox/square/sandbox';
import { effectCall } from '../support/sandbox/stripe/charging';

let sandbox: SquareSandbox;
let square: SquareAdapter;

beforeEach(async () => {
  sandbox = await startSquareSandbox();
  square = createSquareAdapter({ accessToken: ACCESS_TOKEN, apiBase: sandbox.url });
});
afterEach(() => sandbox.close());

const charge = (key: string, changes: Partial<SquareChargeRequest> = {}) =>
  square.charge(chargeRequest(changes), effectCall<SquareCharge>(key));
const find = (key: string) => square.findCharge(key, 1_000, effectCall(key));

/** A payment of 5000, by its id. */
async function paid(): Promise<string> {
  const answer = await charge('charge-1');
  if (answer.kind !== 'done') throw new Error(`not charged: ${answer.code}`);
  return answer.reference;
}
const refund = (paymentId: string, key: string, amount = 5000) =>
  square.refund({ paymentId, amount, currency: 'USD' }, effectCall<SquareRefund>(key));
const findRefund = (key: string) => square.findRefund(key, 1_000, effectCall(key));

describe('a charge', () => {
  it('says what was charged, at the main location, and Square holds the key that finds it again', async () => {
    const answer = await charge('job-1:charge:1', { amount: 1234 });

    const [taken] = sandbox.payments();
    const value = { chargeId: taken?.paymentId, amount: 1234, currency: 'USD' };
    expect(answer).toEqual({ kind: 'done', value, reference: taken?.paymentId });
    const referenceId = squareKey('job-1:charge:1');
    expect(sandbox.payments()).toMatchObject([{ amount: 1234, referenceId, locationId: 'LMAIN', calls: 1 }]);
    expect(referenceId).toHaveLength(36);
  });

  it('is not repeated by the same key, nor taken for that of another', async () => {
    const first = await charge('key-1');

    expect(await charge('key-1')).toEqual(first);
    expect(sandbox.payments()).toMatchObject([{ calls: 2 }]);
    expect((await charge('key-2')).kind).toBe('done');
    expect(sandbox.payments()).toHaveLength(2);
  });

  it.each([
    ['cnon:card-nonce-declined', 'GENERIC_DECLINE'],
    ['cnon:card-nonce-rejected-cvv', 'CVV_FAILURE'],
    ['cnon:card-nonce-insufficient-funds', 'INSUFFICIENT_FUNDS'],
  ])('%s is declined as %s, by a verdict on the key, and charges nothing', async (paymentMethod, code) => {
    expect(await charge('key-1', { paymentMethod })).toMatchObject({ kind: 'declined', code, aboutKey: true });
    expect(sandbox.payments()).toEqual([]);
  });

  it('with a token that was used is declined, which says nothing of what the key did before', async () => {
    const answer = await charge('key-1', { paymentMethod: 'cnon:card-nonce-already-used' });

    expect(answer).toMatchObject({ kind: 'declined', code: 'CARD_TOKEN_USED' });
    expect(answer).not.toHaveProperty('aboutKey');
  });

  it.each([
    ['payment method', { paymentMethod: 'of-jane@example.com' }, /NOT_FOUND/],
    ['nothing', { amount: 0 }, /VALUE_TOO_LOW/],
  ])('that Square does not accept (%s) is declined, and its value is not told', async (_, changes, message) => {
    const answer = await charge('key-1', changes);

    expect(answer).toMatchObject({
      kind: 'declined',
      code: 'INVALID_REQUEST',
      message: expect.stringMatching(message),
    });
    expect(JSON.stringify(answer)).not.toMatch(/jane/);
  });

  it.each([
    ['a fraction', { amount: 12.5 }],
    ['a currency that Square does not take', { currency: 'CHF' }],
  ])('of %s is declined before anything is sent', async (_, changes) => {
    expect(await charge('key-1', changes)).toMatchObject({ kind: 'declined', code: 'AMOUNT_NOT_PAYABLE' });
    expect(sandbox.calls()).toBe(0);
  });

  it('under a key that Square knows with other parameters may have happened', async () => {
    await charge('key-1', { amount: 100 });

    expect(await charge('key-1', { amount: 200 })).toMatchObject({
      kind: 'unknown',
      code: 'IDEMPOTENCY_MISMATCH',
      replayed: true,
    });
    expect(sandbox.payments()).toMatchObject([{ amount: 100 }]);
  });
});

describe('a definite no for now', () => {
  it('429 says when to come back, and the same key charges then', async () => {
    sandbox.fault({ kind: 'rate-limit', retryAfterSeconds: 7 });
    const refused = { kind: 'refused', code: 'RATE_LIMITED', retryAfterMs: 7000, trouble: 'busy' };

    expect(await charge('key-1')).toMatchObject(refused);
    expect(sandbox.calls()).toBe(1);
    expect((await charge('key-1')).kind).toBe('done');
  });

  it.each([
    ['no token of ours', 'wrong', 'AUTHENTICATION'],
    ['a token without permission', 'EAAA-readonly', 'PERMISSION'],
  ])('%s can be mended by an operator', async (_, accessToken, code) => {
    const misconfigured = createSquareAdapter({ accessToken, apiBase: sandbox.url });
    const answer = await misconfigured.charge(chargeRequest(), effectCall<SquareCharge>('key-1'));

    expect(answer).toMatchObject({ kind: 'refused', code });
    expect(sandbox.payments()).toEqual([]);
  });

  it('a connection that is refused has sent nothing', async () => {
    await sandbox.close();

    expect(await charge('key-1')).toMatchObject({ kind: 'refused', code: 'ECONNREFUSED', trouble: 'down' });
  });
});

describe('when nobody knows whether a charge happened', () => {
  it.each(['lose-answer', 'fail-after-effect'] as const)('%s: the same key tells that it did, once', async (kind) => {
    sandbox.fault({ kind });

    expect(await charge('key-1')).toMatchObject({ kind: 'unknown', trouble: 'down' });
    // One call: the SDK's own repetitions are off.
    expect(sandbox.payments()).toMatchObject([{ calls: 1 }]);
    expect((await charge('key-1')).kind).toBe('done');
    expect(sandbox.payments()).toHaveLength(1);
  });

  it.each(['unavailable', 'fail-before-effect', 'reset-before'] as const)('%s: the same key charges', async (kind) => {
    sandbox.fault({ kind });

    expect((await charge('key-1')).kind).toBe('unknown');
    expect(sandbox.payments()).toEqual([]);
    expect((await charge('key-1')).kind).toBe('done');
  });

  it('the key is in use: that says nothing until the call that has it ends', async () => {
    const slow = sandbox.fault({ kind: 'slow' });
    const first = charge('key-1');
    await slow.reached;

    expect(await charge('key-1')).toMatchObject({ kind: 'unknown', code: 'KEY_IN_USE' });
    slow.release();
    expect((await first).kind).toBe('done');
    expect(sandbox.payments()).toHaveLength(1);
  });

  it('a caller that stops waiting gets unknown at once, and the real answer when it comes', async () => {
    const slow = sandbox.fault({ kind: 'slow' });
    const stop = new AbortController();
    const late: unknown[] = [];
    const settled = new Promise<void>((resolve) => {
      const call = effectCall<SquareCharge>('key-1', {
        signal: stop.signal,
        onLateAnswer: (answer) => {
          late.push(answer.kind);
          resolve();
        },
      });
      const answer = square.charge(chargeRequest(), call);
      void slow.reached.then(async () => {
        stop.abort();
        late.push((await answer).kind);
        slow.release();
      });
    });
    await settled;

    expect(late).toEqual(['unknown', 'done']);
  });

  it('a call that takes too long is unknown', async () => {
    sandbox.fault({ kind: 'hang' });
    const answer = square.charge(chargeRequest(), effectCall<SquareCharge>('key-1', { timeoutMs: 50 }));

    expect(await answer).toMatchObject({ kind: 'unknown', code: 'TIMEOUT' });
  });

  it('the lists find it when its key is long forgotten, at whatever location it was', async () => {
    sandbox.fault({ kind: 'lose-answer' });
    const other = createSquareAdapter({ accessToken: ACCESS_TOKEN, apiBase: sandbox.url, locationId: 'LOTHER' });
    await other.charge(chargeRequest(), effectCall<SquareCharge>('key-1'));
    sandbox.expireKeys();

    expect(await find('key-1')).toMatchObject({ kind: 'done', reference: sandbox.payments()[0]?.paymentId });
    expect(await find('key-2')).toEqual({ kind: 'absent' });
    // What the lists are there to prevent: the forgotten key charges again.
    await charge('key-1');
    expect(sandbox.payments()).toHaveLength(2);
  });

  it('the lists run behind: absent first, done later', async () => {
    sandbox.pauseLists();
    await charge('key-1');

    expect(await find('key-1')).toEqual({ kind: 'absent' });
    sandbox.resumeLists();
    expect((await find('key-1')).kind).toBe('done');
  });

  it('a payment is found on whatever page it is', async () => {
    for (let number = 1; number <= 101; number += 1) {
      const body = { source_id: 'cnon:card-nonce-ok', amount_money: { amount: 1, currency: 'USD' } };
      await post(sandbox.url, '/v2/payments', { ...body, idempotency_key: `other-${number}` });
    }
    await charge('key-1');

    expect((await find('key-1')).kind).toBe('done');
  });

  it.each(['unavailable', 'rate-limit', 'unauthorized', 'hang'] as const)(
    'a list that fails (%s) is never "absent"',
    async (kind) => {
      sandbox.fault({ kind });
      const answer = await square.findCharge('key-1', 0, { ...effectCall('key-1'), timeoutMs: 200 });

      expect(answer.kind).toBe('unknown');
    },
  );
});

describe('a refund', () => {
  it('is pending until the bank has it, and Square holds the key that finds it again', async () => {
    const paymentId = await paid();
    const answer = await refund(paymentId, 'job-2:refund:1');

    const [given] = sandbox.refunds();
    const value = { refundId: given?.refundId, amount: 5000, currency: 'USD', status: 'pending' };
    expect(answer).toEqual({ kind: 'done', value, reference: given?.refundId });
    expect(sandbox.refunds()).toMatchObject([{ paymentId, reason: squareKey('job-2:refund:1'), calls: 1 }]);
    sandbox.passTime();
    expect(await findRefund('job-2:refund:1')).toMatchObject({ kind: 'done', value: { status: 'completed' } });
  });

  it('of a part leaves the rest to others; more than the rest is too much', async () => {
    const paymentId = await paid();

    expect((await refund(paymentId, 'key-1', 2000)).kind).toBe('done');
    expect((await refund(paymentId, 'key-1', 2000)).kind).toBe('done');
    expect(sandbox.refunds()).toMatchObject([{ amount: 2000, calls: 2 }]);
    expect(await refund(paymentId, 'key-2', 3001)).toMatchObject({ kind: 'declined', code: 'REFUND_EXCEEDS_PAYMENT' });
  });

  it('of what was given back already says so, and the refunds that did it are summed up', async () => {
    const paymentId = await paid();
    await refund(paymentId, 'key-1', 4000);
    const last = await refund(paymentId, 'key-2', 1000);

    expect(await refund(paymentId, 'key-3')).toMatchObject({ kind: 'declined', code: 'ALREADY_REFUNDED' });
    const all = { ...last, value: { ...('value' in last ? last.value : undefined), amount: 5000 } };
    expect(await square.allRefunds(paymentId, effectCall('key-3'))).toEqual(all);
  });

  it('that is too much for a reason that cannot be asked for did not happen, and is asked for again', async () => {
    const paymentId = await paid();
    sandbox.fault({ kind: 'unavailable', match: { method: 'GET' } });

    expect(await refund(paymentId, 'key-1', 5001)).toMatchObject({ kind: 'refused', code: 'HTTP_503' });
  });

  it('of no payment is declined', async () => {
    expect(await refund('none', 'key-1')).toMatchObject({ kind: 'declined', code: 'INVALID_REQUEST' });
  });

  it.each(['lose-answer', 'fail-after-effect'] as const)('%s: the list tells that it happened', async (kind) => {
    const paymentId = await paid();
    sandbox.fault({ kind });

    expect((await refund(paymentId, 'key-1')).kind).toBe('unknown');
    sandbox.expireKeys();
    expect(await findRefund('key-1')).toMatchObject({ kind: 'done', reference: sandbox.refunds()[0]?.refundId });
    expect(await findRefund('key-2')).toEqual({ kind: 'absent' });
  });
});

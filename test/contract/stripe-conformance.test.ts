/** The real adapter and SDK against the sandbox: each answer that Stripe can give, and what it is for the service. */
import { createStripeAdapter, type StripeAdapter } from '../../src/providers/stripe/adapter';
import { effectCall, chargeRequest, SECRET_KEY } from '../support/sandbox/stripe/charging';
import { startStripeSandbox, type StripeSandbox } from '../support/sandbox/stripe/sandbox';

let sandbox: StripeSandbox;
let stripe: StripeAdapter;

beforeEach(async () => {
  sandbox = await startStripeSandbox();
  stripe = createStripeAdapter({ secretKey: SECRET_KEY, apiBase: sandbox.url });
});
afterEach(() => sandbox.close());

describe('a charge that succeeds', () => {
  it('says what was charged, and Stripe holds the ids that find it again', async () => {
    const request = chargeRequest({ amount: 1234, metadata: { user_id: 'user-7', job_id: 'overwritten' } });
    const answer = await stripe.charge(request, effectCall('job-1:charge:1'));

    const [charged] = sandbox.ledger();
    expect(answer).toEqual({
      kind: 'done',
      value: {
        paymentIntentId: charged?.paymentIntentId,
        chargeId: charged?.chargeId,
        amount: 1234,
        currency: 'usd',
      },
      reference: charged?.paymentIntentId,
    });
    expect(sandbox.ledger()).toHaveLength(1);
    expect(charged).toMatchObject({
      idempotencyKey: 'job-1:charge:1',
      amount: 1234,
      metadata: { user_id: 'user-7', job_id: 'job-1', provider_key: 'job-1:charge:1' },
      calls: 1,
    });
  });

  it('is not repeated by the same key', async () => {
    const first = await stripe.charge(chargeRequest(), effectCall('key-1'));
    const second = await stripe.charge(chargeRequest(), effectCall('key-1'));

    expect(second).toEqual(first);
    expect(first.kind).toBe('done');
    expect(sandbox.ledger()).toMatchObject([{ idempotencyKey: 'key-1', calls: 2 }]);
  });
});

describe('a definite no of the bank', () => {
  it.each([
    ['pm_card_chargeDeclined', 'generic_decline'],
    ['pm_card_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
    ['pm_card_chargeDeclinedFraudulent', 'fraudulent'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card'],
  ])('%s is declined as %s, each time it is asked, and charges nothing', async (paymentMethod, code) => {
    const request = chargeRequest({ paymentMethod });
    const first = await stripe.charge(request, effectCall('key-1'));
    const second = await stripe.charge(request, effectCall('key-1'));

    expect(first).toEqual({
      kind: 'declined',
      code,
      message: expect.stringMatching(new RegExp(`^Stripe declined the payment: ${code} \\(status 402, request req_`)),
      reference: expect.stringMatching(/^pi_/),
      aboutKey: true,
    });
    expect(second).toMatchObject({ kind: 'declined', code, reference: 'reference' in first ? first.reference : '' });
    expect(sandbox.ledger()).toEqual([]);
  });

  it('does not stand in the way of another card under the next key', async () => {
    await stripe.charge(chargeRequest({ paymentMethod: 'pm_card_chargeDeclined' }), effectCall('key-1'));
    const answer = await stripe.charge(chargeRequest(), effectCall('key-2'));

    expect(answer.kind).toBe('done');
    expect(sandbox.ledger()).toMatchObject([{ idempotencyKey: 'key-2' }]);
  });
});

it('a card that needs the customer is an action with the held PaymentIntent, and charges nothing', async () => {
  const answer = await stripe.charge(
    chargeRequest({ paymentMethod: 'pm_card_authenticationRequired' }),
    effectCall('key-1'),
  );

  expect(answer).toMatchObject({ kind: 'action', code: 'requires_action', reference: expect.stringMatching(/^pi_/) });
  expect(sandbox.ledger()).toEqual([]);
});

describe('a request that Stripe does not accept', () => {
  it.each([
    ['amount', chargeRequest({ amount: 0 }), /parameter_invalid_integer, parameter amount/],
    ['fraction', chargeRequest({ amount: 12.5 }), /parameter_invalid_integer, parameter amount/],
    ['minimum', chargeRequest({ amount: 49 }), /amount_too_small, parameter amount/],
    ['currency', chargeRequest({ currency: 'XYZ' }), /invalid: currency/],
    [
      'payment method',
      chargeRequest({ paymentMethod: 'pm_of_jane@example.com' }),
      /resource_missing, parameter payment_method/,
    ],
    ['metadata', chargeRequest({ metadata: { note: 'x'.repeat(501) } }), /invalid: metadata\[note\]/],
  ])('%s: is declined, and the message names the parameter but not its value', async (_, request, message) => {
    const answer = await stripe.charge(request, effectCall('key-1'));

    expect(answer).toMatchObject({
      kind: 'declined',
      code: 'INVALID_REQUEST',
      message: expect.stringMatching(message),
    });
    expect(JSON.stringify(answer)).not.toMatch(/jane@|\bxyz\b|x{20}|\b12\.5\b/i);
    expect(sandbox.ledger()).toEqual([]);
  });

  it('leaves the key unused when it failed validation', async () => {
    await stripe.charge(chargeRequest({ amount: 0 }), effectCall('key-1'));

    expect((await stripe.charge(chargeRequest(), effectCall('key-1'))).kind).toBe('done');
  });

  it('is a mismatch when the key was used with other parameters', async () => {
    await stripe.charge(chargeRequest({ amount: 100 }), effectCall('key-1'));
    const answer = await stripe.charge(chargeRequest({ amount: 200 }), effectCall('key-1'));

    expect(answer).toMatchObject({ kind: 'unknown', code: 'IDEMPOTENCY_MISMATCH', replayed: true });
    expect(sandbox.ledger()).toMatchObject([{ amount: 100 }]);
  });
});

describe('a definite no for now', () => {
  it('429 says when to come back, and the same key charges then', async () => {
    sandbox.fault({ kind: 'rate-limit', retryAfterSeconds: 7 });

    expect(await stripe.charge(chargeRequest(), effectCall('key-1'))).toMatchObject({
      kind: 'refused',
      code: 'RATE_LIMITED',
      retryAfterMs: 7000,
    });
    expect(sandbox.calls()).toBe(1);
    expect((await stripe.charge(chargeRequest(), effectCall('key-1'))).kind).toBe('done');
    expect(sandbox.ledger()).toHaveLength(1);
  });

  it.each([
    ['an invalid key', 'not-a-key', 'AUTHENTICATION'],
    ['a key without permission', 'rk_test_readonly', 'PERMISSION'],
    ['a key that HTTP cannot carry', 'sk_test\n', 'ERR_INVALID_CHAR'],
  ])('%s can be mended by an operator', async (_, secretKey, code) => {
    const misconfigured = createStripeAdapter({ secretKey, apiBase: sandbox.url });

    expect(await misconfigured.charge(chargeRequest(), effectCall('key-1'))).toMatchObject({ kind: 'refused', code });
    expect(sandbox.ledger()).toEqual([]);
  });

  it('a connection that is refused has sent nothing', async () => {
    await sandbox.close();

    expect(await stripe.charge(chargeRequest(), effectCall('key-1'))).toMatchObject({
      kind: 'refused',
      code: 'ECONNREFUSED',
    });
    expect(sandbox.calls()).toBe(0);
  });

  it('a name that does not resolve has sent nothing', async () => {
    const nowhere = createStripeAdapter({ secretKey: SECRET_KEY, apiBase: 'http://stripe.invalid' });
    const answer = await nowhere.charge(chargeRequest(), effectCall('key-1'));

    expect(answer).toMatchObject({ kind: 'refused', code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) });
  });

  it('a TLS handshake that fails has sent nothing', async () => {
    const plain = createStripeAdapter({ secretKey: SECRET_KEY, apiBase: sandbox.url.replace('http:', 'https:') });

    expect(await plain.charge(chargeRequest(), effectCall('key-1'))).toMatchObject({ kind: 'refused' });
    expect(sandbox.calls()).toBe(0);
  });
});

it.each(['ftp://localhost', 'http://localhost/v1', 'not a url'])('apiBase %s is no address of a server', (apiBase) => {
  expect(() => createStripeAdapter({ secretKey: SECRET_KEY, apiBase })).toThrow(/Invalid URL|apiBase/);
});

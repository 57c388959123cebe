/** Charges that Stripe holds back until the customer has authenticated them (3-D Secure), and how they end. */
import { createStripeAdapter, type StripeAdapter } from '../../src/providers/stripe/adapter';
import { chargeRequest, effectCall, post, SECRET_KEY } from '../support/sandbox/stripe/charging';
import { startStripeSandbox, type StripeSandbox } from '../support/sandbox/stripe/sandbox';

let sandbox: StripeSandbox;
let stripe: StripeAdapter;
let intent: string;

beforeEach(async () => {
  sandbox = await startStripeSandbox();
  stripe = createStripeAdapter({ secretKey: SECRET_KEY, apiBase: sandbox.url });
  const held = chargeRequest({ paymentMethod: 'pm_card_authenticationRequired' });
  const answer = await stripe.charge(held, effectCall('key-1'));
  intent = answer.kind === 'action' ? answer.reference : '';
});
afterEach(() => sandbox.close());

const look = (giveUp = false) => stripe.lookAtHeld(intent, { ...effectCall('key-1'), giveUp });

/** What a customer could do who still has the page with the card form open. */
async function tryAnotherCard(): Promise<number> {
  const form = { payment_method: 'pm_card_visa', return_url: 'https://example.com' };
  return (await post(sandbox.url, `/v1/payment_intents/${intent}/confirm`, form)).status;
}

it('one that waits for the customer is left alone', async () => {
  expect(await look()).toMatchObject({ kind: 'action', code: 'requires_action', reference: intent });
  expect(sandbox.ledger()).toEqual([]);
});

it('one that the customer has authenticated is done', async () => {
  sandbox.authenticate(intent, true);

  const [charged] = sandbox.ledger();
  expect(await look()).toEqual({
    kind: 'done',
    value: { paymentIntentId: intent, chargeId: charged?.chargeId, amount: 5000, currency: 'usd' },
    reference: intent,
  });
});

it('one that failed there can no longer happen, also with another card', async () => {
  sandbox.authenticate(intent, false);

  expect(await look()).toMatchObject({
    kind: 'declined',
    code: 'payment_intent_authentication_failure',
    reference: intent,
    aboutKey: true,
  });
  expect(await tryAnotherCard()).toBe(400);
  expect(sandbox.ledger()).toEqual([]);
});

it('one that is given up can no longer happen, and is found so again', async () => {
  const expired = { kind: 'declined', code: 'AUTHENTICATION_EXPIRED', reference: intent };

  expect(await look(true)).toMatchObject(expired);
  expect(await look()).toMatchObject(expired);
  expect(await tryAnotherCard()).toBe(400);
  expect(sandbox.ledger()).toEqual([]);
});

it('one that is given up while the customer authenticates it is done', async () => {
  const slow = sandbox.fault({ kind: 'slow', match: { path: `/v1/payment_intents/${intent}/cancel` } });
  const answer = look(true);
  await slow.reached;
  sandbox.authenticate(intent, true);
  slow.release();

  expect(await answer).toMatchObject({ kind: 'done', reference: intent });
  expect(sandbox.ledger()).toHaveLength(1);
});

it('one whose end was reached and not heard of is asked for once more', async () => {
  sandbox.fault({ kind: 'lose-answer', match: { path: `/v1/payment_intents/${intent}/cancel` } });

  expect(await look(true)).toMatchObject({ kind: 'declined', code: 'AUTHENTICATION_EXPIRED' });
});

it.each([
  ['the look', undefined],
  ['its end', '/cancel'],
])('nobody knows when %s fails', async (_, path) => {
  const match = path === undefined ? {} : { match: { path: `/v1/payment_intents/${intent}${path}` } };
  sandbox.fault({ kind: 'unavailable', ...match });

  expect(await look(true)).toMatchObject({ kind: 'unknown', code: 'SERVER_ERROR' });
});

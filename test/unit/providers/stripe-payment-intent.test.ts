/** Each state of a PaymentIntent: as the answer to a charge, and as the answer to "what became of it?". */
import { chargeAnswer, lookupAnswer, parsePaymentIntent } from '../../../src/providers/stripe/payment-intent';

const succeeded = {
  id: 'pi_1',
  object: 'payment_intent',
  status: 'succeeded',
  amount: 1234,
  amount_received: 1234,
  currency: 'eur',
  created: 1,
  latest_charge: 'ch_1',
  metadata: {},
};
const done = {
  kind: 'done',
  value: { paymentIntentId: 'pi_1', chargeId: 'ch_1', amount: 1234, currency: 'eur' },
  reference: 'pi_1',
};

function lookup(result: object) {
  const intent = parsePaymentIntent(result);
  return intent && lookupAnswer(intent);
}

it.each([
  ['succeeded', 'done', 'done'],
  ['processing', 'unknown', 'unknown'],
  ['requires_action', 'action', 'action'],
  ['requires_payment_method', 'declined', undefined],
  ['canceled', 'declined', undefined],
  ['requires_confirmation', 'unknown', 'unknown'],
  ['requires_capture', 'unknown', 'unknown'],
  ['a_state_of_tomorrow', 'unknown', 'unknown'],
])('%s: a charge is %s, a lookup %s', (status, charge, found) => {
  expect(chargeAnswer({ ...succeeded, status }).kind).toBe(charge);
  expect(lookup({ ...succeeded, status })?.kind).toBe(found);
});

it('reads the charge, as an id or as an object', () => {
  expect(chargeAnswer(succeeded)).toEqual(done);
  expect(lookup(succeeded)).toEqual(done);
  expect(chargeAnswer({ ...succeeded, latest_charge: { id: 'ch_1', object: 'charge' } })).toEqual(done);
});

it('gives the reason of the last failed try', () => {
  const failed = { ...succeeded, status: 'requires_payment_method', latest_charge: null };
  const reason = { code: 'card_declined', decline_code: 'lost_card' };

  expect(chargeAnswer({ ...failed, last_payment_error: reason })).toMatchObject({
    code: 'lost_card',
    reference: 'pi_1',
  });
  expect(chargeAnswer({ ...failed, last_payment_error: { code: 'expired_card' } })).toMatchObject({
    code: 'expired_card',
  });
  expect(chargeAnswer({ ...failed, last_payment_error: null })).toMatchObject({ code: 'requires_payment_method' });
});

it.each([
  undefined,
  null,
  'ok',
  [],
  {},
  { ...succeeded, object: 'charge' },
  { ...succeeded, id: 7 },
  { ...succeeded, amount_received: '1234' },
  { ...succeeded, latest_charge: null },
])('%j proves no charge', (result) => {
  expect(chargeAnswer(result).kind).toBe('unknown');
});

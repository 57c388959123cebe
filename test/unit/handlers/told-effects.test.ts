import { z } from 'zod';
import { jobTypes } from '../../../src/catalogue';
import { missingOf, valueOfTold } from '../../../src/handlers/told-effects';

const asked = (name: string, intent: Record<string, unknown>) => ({ name, intent: { provider: 'stripe', ...intent } });
const charge = asked('charge', { amount: 100, currency: 'usd' });
const transfer = asked('transfer', { amount: 100, currency: 'usd', accountId: 'acct_1' });
const payout = asked('payout', { amount: 100, currency: 'usd', method: 'standard' });
const refund = asked('refund', { amount: 100, currency: 'USD', paymentIntentId: 'pi_1' });

const atSquare = (name: string, intent: Record<string, unknown>) => ({
  name,
  intent: { ...intent, provider: 'square' },
});
const squareCharge = atSquare('charge', { amount: 100, currency: 'USD' });
const squareRefund = atSquare('refund', { amount: 100, currency: 'USD', paymentId: 'p1' });

const CASES: [string, typeof charge, string[]][] = [
  ['payment-process', charge, ['chargeId']],
  ['payout-process', transfer, []],
  ['payout-process', payout, ['status', 'arrivalDate']],
  ['refund-process', refund, ['status']],
  ['payment-process', squareCharge, []],
  ['refund-process', squareRefund, ['status']],
  ['nft-mint', asked('mint', { chain: 'polygon', mintAddress: '0x1', tokenId: '1' }), []],
];

it('there is no type that moves money and of whose effects nobody could tell', () => {
  const moving = jobTypes.filter(
    ({ name, queue, submittableBy }) =>
      // What nobody can ask for moves nothing.
      queue === 'money' && !name.startsWith('canary') && submittableBy.length > 0,
  );
  expect(new Set(CASES.map(([type]) => type))).toEqual(new Set(moving.map(({ name }) => name)));
});

it.each(CASES)('of a %s, what was asked for is known, and the rest must be told', (type, effect, fields) => {
  expect(missingOf(type, effect)?.fields).toEqual(fields);
});

it.each([
  ['payment-process', charge, 'pi_2', { chargeId: 'ch_2' }, { paymentIntentId: 'pi_2', amount: 100, currency: 'usd' }],
  ['payout-process', transfer, 'tr_2', {}, { transferId: 'tr_2', amount: 100, currency: 'usd' }],
  ['payout-process', payout, 'po_2', { status: 'pending', arrivalDate: 1_767_225_600 }, { payoutId: 'po_2' }],
  ['payment-process', squareCharge, 'p2', {}, { chargeId: 'p2', amount: 100, currency: 'USD' }],
  ['refund-process', squareRefund, 'p1_r2', { status: 'pending' }, { refundId: 'p1_r2', amount: 100, currency: 'USD' }],
  ['refund-process', refund, 're_2', { status: 'completed' }, { refundId: 're_2', amount: 100, currency: 'USD' }],
])('a %s that happened is told by its reference and what is missing', (type, effect, reference, value, known) => {
  expect(valueOfTold(type, effect, { reference, value })).toEqual({ value: { ...known, ...value } });
});

it.each([
  ['a reference of another kind', 'ch_2', { chargeId: 'ch_2' }, /paymentIntentId/],
  ['no more than its beginning', 'pi_', { chargeId: 'ch_2' }, /paymentIntentId/],
  ['too little', 'pi_2', {}, /expected string/],
  ['a misspelt field', 'pi_2', { chargeId: 'ch_2', chargeld: 'ch_2' }, /nothing but chargeId/],
  ['another amount than was asked for', 'pi_2', { chargeId: 'ch_2', amount: 99 }, /nothing but chargeId/],
])('%s is refused', (_, reference, value, problem) => {
  const answer = z
    .object({ problems: z.array(z.object({ message: z.string() })) })
    .parse(valueOfTold('payment-process', charge, { reference, value }));
  expect(answer.problems.map(({ message }) => message).join('\n')).toMatch(problem);
});

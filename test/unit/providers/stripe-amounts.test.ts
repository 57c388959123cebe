import { fromStripeAmount, toStripeAmount } from '../../../src/providers/stripe/amounts';

/** From docs.stripe.com/currencies: what Stripe wants for so much. */
it.each([
  ['10 USD', 1_000, 'USD', 1_000],
  ['500 JPY', 500, 'JPY', 500],
  ['500 UGX', 500, 'UGX', 50_000],
  ['5 ISK', 5, 'ISK', 500],
  ['5 ISK, in either case', 5, 'isk', 500],
  ['500 MGA', 50_000, 'MGA', 500],
  ['5.12 KWD', 5_120, 'KWD', 5_120],
  ['10.45 HUF', 1_045, 'HUF', 1_045],
  ['10.45 TWD', 1_045, 'TWD', 1_045],
  ['500 KRW', 500, 'KRW', 500],
])('%s are %i in %s, and %i at Stripe', (_, amount, currency, stripes) => {
  expect(toStripeAmount(amount, currency)).toBe(stripes);
  expect(fromStripeAmount(stripes, currency)).toBe(amount);
});

it.each([
  ['5.124 KWD', 5_124, 'KWD'],
  ['5.001 BHD', 5_001, 'bhd'],
  ['500.20 MGA', 50_020, 'MGA'],
])('%s cannot be said to Stripe, and is not rounded', (_, amount, currency) => {
  expect(toStripeAmount(amount, currency)).toBeUndefined();
});

/**
 * Amounts as Stripe counts them. Callers count in minor units of ISO 4217; Stripe mostly does too, and differs where
 * "Supported currencies" says so (docs.stripe.com/currencies, "Zero-decimal currencies", "Three-decimal currencies" and
 * "Special cases").
 */

/** So many minor units are so many of Stripe's, and less than that cannot be charged. */
interface Scale {
  minor: number;
  stripe: number;
}

const SCALES: ReadonlyMap<string, Scale> = new Map([
  // No decimals, and yet they must be sent with two: 5 ISK is 500.
  ...of('ISK UGX', { minor: 1, stripe: 100 }),
  // Two decimals in ISO 4217, none at Stripe.
  ...of('MGA', { minor: 100, stripe: 1 }),
  // The last of three decimals must be 0.
  ...of('BHD JOD KWD OMR TND', { minor: 10, stripe: 10 }),
]);

function of(currencies: string, scale: Scale): [string, Scale][] {
  return currencies.split(' ').map((currency) => [currency, scale]);
}

/** Minor units of ISO 4217 → Stripe's; undefined when Stripe has no amount that is exactly as much. */
export function toStripeAmount(amount: number, currency: string): number | undefined {
  const scale = SCALES.get(currency.toUpperCase());
  if (!scale) return amount;
  return amount % scale.minor === 0 ? (amount / scale.minor) * scale.stripe : undefined;
}

/** Stripe's → minor units of ISO 4217. */
export function fromStripeAmount(amount: number, currency: string): number {
  const { minor, stripe } = SCALES.get(currency.toUpperCase()) ?? { minor: 1, stripe: 1 };
  return (amount / stripe) * minor;
}

/** Rounding would take more or less than was asked for. */
export const NOT_PAYABLE = {
  kind: 'declined',
  code: 'AMOUNT_NOT_PAYABLE',
  message: 'Stripe takes no amount that is so fine in this currency; nothing was sent',
  trouble: 'unheard',
} as const;

/**
 * Amounts as Square counts them: "in the smallest denomination of the currency" ("Working with Monetary Amounts",
 * developer.squareup.com/docs/build-basics/working-with-monetary-amounts), which for each currency that it takes payments
 * in are the minor units of ISO 4217. The SDK has them as BigInt.
 */
import { z } from 'zod';

/** By the seller's country ("International availability", developer.squareup.com/docs/international-development). */
const TAKEN = ['AUD', 'CAD', 'EUR', 'GBP', 'JPY', 'USD'] as const;
type Taken = (typeof TAKEN)[number];

export const money = z.object({ amount: z.bigint(), currency: z.string() }).transform((parsed, context) => {
  const amount = Number(parsed.amount);
  if (Number.isSafeInteger(amount)) return { amount, currency: parsed.currency };
  context.addIssue({ code: 'custom', message: 'is larger than an amount can be' });
  return z.NEVER;
});

/** An amount as the SDK takes it; undefined when Square has none that is exactly as much. */
export function toSquareMoney(amount: number, currency: string): { amount: bigint; currency: Taken } | undefined {
  const known = TAKEN.find((one) => one === currency.toUpperCase());
  return known && Number.isSafeInteger(amount) ? { amount: BigInt(amount), currency: known } : undefined;
}

/** Rounding would take more or less than was asked for, and the SDK refuses a currency that it does not know. */
export const NOT_PAYABLE = {
  kind: 'declined',
  code: 'AMOUNT_NOT_PAYABLE',
  message: `Square takes whole minor units of ${TAKEN.join(', ')}; nothing was sent`,
  trouble: 'unheard',
} as const;

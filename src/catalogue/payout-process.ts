import { z } from 'zod';
import { defineJobType } from './job-type';
import { amount, currency } from './money';

/** Becomes part of an idempotency key. */
const label = z
  .string()
  .min(1)
  .max(60)
  .regex(/^[^\p{Cc}]+$/u, 'contains control characters');

const payload = z.strictObject({
  venueId: z.uuid(),
  amount,
  currency: currency.default('USD'),
  /** The venue's own account at the provider: Stripe's id of the connected account. */
  accountId: z
    .string()
    .max(255)
    .regex(/^acct_\w+$/, 'is not the id of a connected account')
    .meta({ examples: ['acct_1Pgaf2B7WZ01zgkW'] }),
  /** The bank account of that account, or the debit card for an instant payout. */
  bankAccountId: z
    .string()
    .max(255)
    .regex(/^(ba|card)_\w+$/, 'is not the id of a bank account or a debit card')
    .meta({ examples: ['ba_1Pgc79B7WZ01zgkWu1KToYf4'] }),
  type: z.enum(['instant', 'standard']),
  /** What the payout is for: one for each period, or for each `requestId` of the caller's. */
  period: label.optional(),
  requestId: label.optional(),
  provider: z.literal('stripe').optional(),
});

const result = z.strictObject({
  /** Our job id. */
  transactionId: z.uuid(),
  /** The provider's: from our balance to that of the venue, and from there to its bank. */
  transferId: z.string(),
  payoutId: z.string(),
  provider: z.literal('stripe'),
  amount: z.int(),
  currency: z.string(),
  type: z.enum(['instant', 'standard']),
  /** `pending`: the provider has taken it on, and the money is still on its way. */
  status: z.enum(['completed', 'pending']),
  /** When the bank is expected to have it. */
  arrivesAt: z.iso.datetime(),
  processedAt: z.iso.datetime(),
});

export type PayoutPayload = z.infer<typeof payload>;
export type PayoutResult = z.infer<typeof result>;

/** Pays a venue what it has earned. */
export const payoutProcess = defineJobType({
  name: 'payout-process',
  queue: 'money',
  priority: 10,
  concurrency: 3,
  timeoutMs: 60_000,
  uses: 'stripe-payouts',
  submittableBy: ['service', 'admin'],
  payload,
  result,
  // Without either, two payouts to a venue of the same amount are the same to us: the caller must say.
  defaultKey: ({ venueId, period, requestId }) => {
    const distinction = period ?? requestId;
    return distinction === undefined ? undefined : `payout-${venueId}-${distinction}`;
  },
});

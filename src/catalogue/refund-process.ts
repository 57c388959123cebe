import { z } from 'zod';
import { defineJobType } from './job-type';
import { amount, paymentProvider } from './money';

const payload = z.strictObject({
  /** The `transactionId` of the payment's result, which is the id of its job. */
  transactionId: z.uuid(),
  /** What is to be given back, all of it or a part, in the payment's currency. */
  amount,
  /** Why. Only `duplicate`, `fraudulent` and `requested_by_customer` are passed on, and to Stripe alone. */
  reason: z
    .string()
    .min(1)
    .max(255)
    .meta({ examples: ['requested_by_customer'] }),
  /** Whose payment it was; another payment is not touched. */
  userId: z.uuid(),
  venueId: z.uuid(),
  provider: paymentProvider.optional(),
});

const result = z.strictObject({
  /** The provider's. */
  refundId: z.string(),
  /** The payment's. */
  transactionId: z.uuid(),
  provider: paymentProvider,
  amount: z.int(),
  currency: z.string(),
  /** `pending`: the provider has taken it on, and the money is still on its way. */
  status: z.enum(['completed', 'pending']),
  /** The customer had everything back already; `refundId` names the last refund that there was. */
  alreadyRefunded: z.literal(true).exactOptional(),
  processedAt: z.iso.datetime(),
});

export type RefundPayload = z.infer<typeof payload>;
export type RefundResult = z.infer<typeof result>;

/** Gives a payment back, or a part of it. A part needs the caller's own key: the default one is for the whole. */
export const refundProcess = defineJobType({
  name: 'refund-process',
  queue: 'money',
  priority: 10,
  concurrency: 3,
  timeoutMs: 60_000,
  uses: { by: 'provider', among: { stripe: 'stripe-refunds', square: 'square' }, follows: 'transactionId' },
  submittableBy: ['service', 'admin'],
  payload,
  result,
  defaultKey: ({ transactionId }) => `refund-${transactionId}`,
});

import { z } from 'zod';
import { defineJobType } from './job-type';
import { amount, currency, paymentProvider } from './money';

const payload = z.strictObject({
  userId: z.uuid(),
  venueId: z.uuid(),
  eventId: z.uuid(),
  amount,
  currency: currency.default('USD'),
  /** The provider's id of the customer's payment method. */
  paymentMethod: z.string().min(1).max(255),
  deviceFingerprint: z.string().max(255).optional(),
  metadata: z
    .record(z.string().max(40), z.union([z.string().max(500), z.number(), z.boolean()]))
    .refine((metadata) => Object.keys(metadata).length <= 50, 'has more than 50 entries')
    .optional(),
  provider: paymentProvider.optional(),
});

const paid = {
  /** Our job id: refunds name a payment by it. */
  transactionId: z.uuid(),
  /** The provider's: of a charge at Stripe, of a Payment at Square. */
  chargeId: z.string(),
  amount: z.int(),
  currency: z.string(),
  status: z.literal('completed'),
  processedAt: z.iso.datetime(),
};

const result = z.discriminatedUnion('provider', [
  z.strictObject({ ...paid, provider: z.literal('stripe'), paymentIntentId: z.string() }),
  z.strictObject({ ...paid, provider: z.literal('square') }),
]);

export type PaymentPayload = z.infer<typeof payload>;
export type PaymentResult = z.infer<typeof result>;

/** Charges a customer once. */
export const paymentProcess = defineJobType({
  name: 'payment-process',
  queue: 'money',
  priority: 10,
  concurrency: 5,
  timeoutMs: 30_000,
  uses: { by: 'provider', among: { stripe: 'stripe-charges', square: 'square' } },
  submittableBy: ['user', 'service', 'admin'],
  payload,
  result,
  defaultKey: ({ venueId, userId, eventId, amount }) => `payment-${venueId}-${userId}-${eventId}-${amount}`,
});

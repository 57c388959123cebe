/** How each provider is asked to give a payment back. */
import { z } from 'zod';
import type { PaymentResult } from '../catalogue/payment-process';
import type { RefundPayload } from '../catalogue/refund-process';
import { SQUARE_KEY_WINDOW_MS, SQUARE_LIST_LAG_MS, type SquareAdapter } from '../providers/square/adapter';
import {
  REFUND_REASONS,
  STRIPE_KEY_WINDOW_MS,
  STRIPE_LIST_LAG_MS,
  type StripeAdapter,
} from '../providers/stripe/adapter';
import type { CallLimits, HandlerContext, KeyedEffect, LookupAnswer } from './handler';
import { noAccount, type PaymentProviders } from './payment-providers';
import type { HandlerOutcome } from './outcome';

export const refundValue = z.object({
  refundId: z.string(),
  amount: z.int(),
  currency: z.string(),
  status: z.enum(['completed', 'pending']),
});
export type Refunded = z.infer<typeof refundValue>;

/** What can be asked about the refunds of one payment. */
export interface PaymentRefunds {
  effect: KeyedEffect<Refunded>;
  /** All refunds of the payment as one, whoever asked for them. */
  all: (limits: CallLimits) => Promise<LookupAnswer<Refunded>>;
}

/** By the provider that took the payment; or how the job ends where that is not to be reached. */
export function refundsOf(
  { stripe, square }: PaymentProviders,
  payload: RefundPayload,
  payment: PaymentResult,
  context: HandlerContext,
): PaymentRefunds | { outcome: HandlerOutcome<never> } {
  if (payment.provider === 'square') {
    return square ? squareRefunds(square, payload, payment) : { outcome: noAccount('square') };
  }
  return stripe ? stripeRefunds(stripe, payload, payment, context) : { outcome: noAccount('stripe') };
}

function stripeRefunds(
  stripe: StripeAdapter,
  { amount, reason, venueId, transactionId }: RefundPayload,
  { paymentIntentId, currency }: Extract<PaymentResult, { provider: 'stripe' }>,
  { jobId }: HandlerContext,
): PaymentRefunds {
  const metadata = { venue_id: venueId, transaction_id: transactionId };
  const known = REFUND_REASONS.find((one) => one === reason);
  const request = { jobId, paymentIntentId, amount, currency, reason: known, metadata };
  return {
    effect: {
      name: 'refund',
      intent: { provider: 'stripe', amount, currency, paymentIntentId },
      value: refundValue,
      keyWindowMs: STRIPE_KEY_WINDOW_MS,
      searchLagMs: STRIPE_LIST_LAG_MS,
      call: (providerKey, limits) => stripe.refund(request, { providerKey, ...limits }),
      find: (providerKey, limits) => stripe.findRefund(paymentIntentId, providerKey, limits),
    },
    all: (limits) => stripe.allRefunds(paymentIntentId, limits),
  };
}

function squareRefunds(
  square: SquareAdapter,
  { amount }: RefundPayload,
  { chargeId: paymentId, currency }: PaymentResult,
): PaymentRefunds {
  return {
    effect: {
      name: 'refund',
      intent: { provider: 'square', amount, currency, paymentId },
      value: refundValue,
      keyWindowMs: SQUARE_KEY_WINDOW_MS,
      searchLagMs: SQUARE_LIST_LAG_MS,
      call: (providerKey, limits) => square.refund({ paymentId, amount, currency }, { providerKey, ...limits }),
      find: (providerKey, { askedMsAgo, ...limits }) => square.findRefund(providerKey, askedMsAgo, limits),
    },
    all: (limits) => square.allRefunds(paymentId, limits),
  };
}

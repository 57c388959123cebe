import { z } from 'zod';
import type { PaymentResult } from '../catalogue/payment-process';
import { refundProcess, type RefundPayload, type RefundResult } from '../catalogue/refund-process';
import { isUnavailable } from '../platform/postgres/errors';
import {
  REFUND_REASONS,
  STRIPE_KEY_WINDOW_MS,
  STRIPE_LIST_LAG_MS,
  type Refund,
  type StripeAdapter,
} from '../providers/stripe/adapter';
import { defineHandler, type HandlerContext, type KeyedEffect } from './handler';
import { done, failed, type HandlerOutcome } from './outcome';
import { judgeRefund, type FindJob, type RecordedJob } from './refundable';

const RECORDS_AWAY_MS = 5_000;

/** Not even a replay makes more of the payment than there is. */
const FINAL = ['REFUND_EXCEEDS_PAYMENT', 'NOT_REFUNDABLE', 'AMOUNT_NOT_PAYABLE'];

export const refundValue = z.object({
  refundId: z.string(),
  amount: z.int(),
  currency: z.string(),
  status: z.enum(['completed', 'pending']),
});

/** Gives back what a payment took, once. That the customer has everything back already is success. */
export function refundProcessHandler(stripe: StripeAdapter, findJob: FindJob) {
  return defineHandler(refundProcess, async (payload, context) => {
    const found = await readJob(findJob, payload.transactionId);
    if ('kind' in found) return found;
    const judged = judgeRefund(payload, found.job, context.hasOwnKey ?? false);
    if ('outcome' in judged) return judged.outcome;
    const { payment } = judged;
    const refunded = await context.effects.perform(refundEffect(stripe, payload, payment, context));
    if (refunded.kind === 'ended') return refunded.outcome;
    if (refunded.kind === 'done') return done<RefundResult>(resultOf(payment, refunded.value));
    if (refunded.code === 'ALREADY_REFUNDED') return alreadyRefunded(stripe, payload, payment, context);
    return failed(refunded.code, refunded.message, { replayable: !FINAL.includes(refunded.code) });
  });
}

async function readJob(
  findJob: FindJob,
  jobId: string,
): Promise<{ job: RecordedJob | undefined } | HandlerOutcome<never>> {
  try {
    return { job: await findJob(jobId) };
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    return { kind: 'snooze', code: 'RECORDS_UNAVAILABLE', afterMs: RECORDS_AWAY_MS };
  }
}

function refundEffect(
  stripe: StripeAdapter,
  { amount, reason, venueId, transactionId }: RefundPayload,
  { paymentIntentId, currency }: PaymentResult,
  { jobId }: HandlerContext,
): KeyedEffect<Refund> {
  const metadata = { venue_id: venueId, transaction_id: transactionId };
  const known = REFUND_REASONS.find((one) => one === reason);
  return {
    name: 'refund',
    intent: { provider: 'stripe', amount, currency, paymentIntentId },
    value: refundValue,
    keyWindowMs: STRIPE_KEY_WINDOW_MS,
    searchLagMs: STRIPE_LIST_LAG_MS,
    call: (providerKey, limits) =>
      stripe.refund({ jobId, paymentIntentId, amount, currency, reason: known, metadata }, { providerKey, ...limits }),
    find: (providerKey, limits) => stripe.findRefund(paymentIntentId, providerKey, limits),
  };
}

/** Others gave everything back, at once or in parts: other jobs, or people in the provider's dashboard. */
async function alreadyRefunded(
  stripe: StripeAdapter,
  { amount }: RefundPayload,
  payment: PaymentResult,
  { effects }: HandlerContext,
): Promise<HandlerOutcome<RefundResult>> {
  const given = await effects.look((limits) => stripe.allRefunds(payment.paymentIntentId, limits));
  if (given.kind === 'ended') return given.outcome;
  if (given.kind !== 'done' || given.value.amount < amount) {
    return { kind: 'retry', code: 'ALREADY_REFUNDED', message: 'already refunded, by refunds that were not all found' };
  }
  return done<RefundResult>({ ...resultOf(payment, { ...given.value, amount }), alreadyRefunded: true });
}

function resultOf(payment: PaymentResult, { currency, ...refund }: Refund): RefundResult {
  const { transactionId, provider } = payment;
  return {
    ...refund,
    transactionId,
    provider,
    currency: currency.toUpperCase(),
    processedAt: new Date().toISOString(),
  };
}

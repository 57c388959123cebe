import type { PaymentResult } from '../catalogue/payment-process';
import { refundProcess, type RefundPayload, type RefundResult } from '../catalogue/refund-process';
import { isUnavailable } from '../platform/postgres/errors';
import { defineHandler, type HandlerContext } from './handler';
import { done, failed, type HandlerOutcome } from './outcome';
import type { PaymentProviders } from './payment-providers';
import { refundsOf, type PaymentRefunds, type Refunded } from './refunds';
import { judgeRefund, type FindJob, type RecordedJob } from './refundable';

const RECORDS_AWAY_MS = 5_000;

/** Not even a replay makes more of the payment than there is. */
const FINAL = ['REFUND_EXCEEDS_PAYMENT', 'NOT_REFUNDABLE', 'AMOUNT_NOT_PAYABLE'];

/** Gives back what a payment took, once. That the customer has everything back already is success. */
export function refundProcessHandler(providers: PaymentProviders, findJob: FindJob) {
  return defineHandler(refundProcess, async (payload, context) => {
    const found = await readJob(findJob, payload.transactionId);
    if ('kind' in found) return found;
    const judged = judgeRefund(payload, found.job, context.hasOwnKey ?? false);
    if ('outcome' in judged) return judged.outcome;
    const { payment } = judged;
    const refunds = refundsOf(providers, payload, payment, context);
    if ('outcome' in refunds) return refunds.outcome;
    const refunded = await context.effects.perform(refunds.effect);
    if (refunded.kind === 'ended') return refunded.outcome;
    if (refunded.kind === 'done') return done<RefundResult>(resultOf(payment, refunded.value));
    if (refunded.code === 'ALREADY_REFUNDED') return alreadyRefunded(refunds, payload, payment, context);
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

/** Others gave everything back, at once or in parts: other jobs, or people in the provider's dashboard. */
async function alreadyRefunded(
  refunds: PaymentRefunds,
  { amount }: RefundPayload,
  payment: PaymentResult,
  { effects }: HandlerContext,
): Promise<HandlerOutcome<RefundResult>> {
  const given = await effects.look(refunds.all);
  if (given.kind === 'ended') return given.outcome;
  if (given.kind !== 'done' || given.value.amount < amount) {
    return { kind: 'retry', code: 'ALREADY_REFUNDED', message: 'already refunded, by refunds that were not all found' };
  }
  return done<RefundResult>({ ...resultOf(payment, { ...given.value, amount }), alreadyRefunded: true });
}

function resultOf(payment: PaymentResult, { currency, ...refund }: Refunded): RefundResult {
  const { transactionId, provider } = payment;
  return {
    ...refund,
    transactionId,
    provider,
    currency: currency.toUpperCase(),
    processedAt: new Date().toISOString(),
  };
}

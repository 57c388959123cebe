import { paymentProcess, type PaymentResult } from '../catalogue/payment-process';
import type { RefundPayload } from '../catalogue/refund-process';
import { failed, type HandlerOutcome } from './outcome';

/** A job as its record stands, which may be a payment. */
export interface RecordedJob {
  type: string;
  status: string;
  result: unknown;
  /** Whom it concerns, by its payload. */
  userId: string | undefined;
  venueId: string | undefined;
}

/** The job with this id; undefined when there is none. @throws when the records cannot be read */
export type FindJob = (jobId: string) => Promise<RecordedJob | undefined>;

/**
 * The payment that a refund is for, or how the refund ends without one.
 * @param hasOwnKey the default key stands for the whole payment: a second refund of a part would be taken for the first
 */
export function judgeRefund(
  refund: RefundPayload,
  job: RecordedJob | undefined,
  hasOwnKey: boolean,
): { payment: PaymentResult } | { outcome: HandlerOutcome<never> } {
  if (job?.type !== paymentProcess.name) return { outcome: NOT_FOUND };
  const { userId, venueId, provider } = refund;
  if (job.userId !== userId || job.venueId !== venueId) return { outcome: MISMATCH };
  if (job.status === 'failed' || job.status === 'cancelled') return { outcome: NOT_COMPLETED };
  if (job.status !== 'completed') return { outcome: UNFINISHED };
  const payment = paymentProcess.result.parse(job.result);
  if (provider !== undefined && provider !== payment.provider) return { outcome: MISMATCH };
  if (refund.amount > payment.amount) return { outcome: TOO_MUCH };
  if (refund.amount < payment.amount && !hasOwnKey) return { outcome: KEY_REQUIRED };
  return { payment };
}

const FINAL = { replayable: false };
const NOT_FOUND = failed('PAYMENT_NOT_FOUND', 'no payment has this transactionId', FINAL);
const MISMATCH = failed('PAYMENT_MISMATCH', 'userId, venueId or provider are not those of the payment', FINAL);
const TOO_MUCH = failed('REFUND_EXCEEDS_PAYMENT', 'the refund is larger than the payment', FINAL);
const KEY_REQUIRED = failed('IDEMPOTENCY_KEY_REQUIRED', 'a refund of a part needs an idempotencyKey of its own', FINAL);
const NOT_COMPLETED = failed('PAYMENT_NOT_COMPLETED', 'the payment did not happen', { replayable: true });
/** It may be done in a moment; a payment in doubt may take longer than this job has attempts. */
const UNFINISHED: HandlerOutcome<never> = {
  kind: 'retry',
  code: 'PAYMENT_UNFINISHED',
  message: 'the payment has not ended yet',
};

/**
 * The only place that reads the Square SDK's errors. What each category and code means is Square's documentation, "Error
 * categories and error codes" and "Handling errors" (developer.squareup.com/docs/build-basics/general-considerations/
 * handling-errors, /docs/payments-api/error-codes).
 *
 * Messages are built from codes and field names alone: Square's own repeat what was sent, and the SDK's errors carry the
 * whole answer.
 */
import { z } from 'zod';
import type { FailureAnswer } from '../answer';
import { noClearAnswer, token } from '../axios';
import { answerFromFailure, TransportFailure } from '../exchange';
import { parseRetryAfter } from '../retry-after';

/** An answer that is none. */
export const UNREADABLE = noClearAnswer('Square', 'UNREADABLE_ANSWER');

/** Known by its fields, since `instanceof` would need the SDK loaded. */
const sdkError = z.object({
  statusCode: z.int().optional(),
  errors: z.array(z.object({ category: z.string(), code: z.string(), field: z.string().optional() })).min(1),
  rawResponse: z.object({ headers: z.instanceof(Headers) }).optional(),
});
type Complaint = z.infer<typeof sdkError>['errors'][number];

/** The token, or what it may do: no fault of the request, and mended by configuration. */
const ABOUT_OURSELVES = [
  'INSUFFICIENT_PERMISSIONS',
  'INSUFFICIENT_PERMISSIONS_FOR_REFUND',
  'CARD_PROCESSING_NOT_ENABLED',
];

/**
 * A token that pays once was used: perhaps by an earlier call of ours, whose key Square has forgotten. So this is no
 * verdict on the key.
 */
const TOKEN_USED = ['CARD_TOKEN_USED', 'SOURCE_USED'];

/** Codes that are about the state of what the request is for, in the service's own words. */
const VERDICTS = new Map([
  ['REFUND_AMOUNT_INVALID', 'REFUND_EXCEEDS_PAYMENT'],
  ['PAYMENT_NOT_REFUNDABLE_DUE_TO_DISPUTE', 'PAYMENT_DISPUTED'],
  ['PAYMENT_NOT_REFUNDABLE', 'NOT_REFUNDABLE'],
  ['REFUND_ERROR_PAYMENT_NEEDS_COMPLETION', 'NOT_REFUNDABLE'],
]);

export function answerFromError(thrown: unknown): FailureAnswer {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  if (cause instanceof TransportFailure) return answerFromFailure(cause, 'Square');
  const { statusCode: status, errors, rawResponse } = sdkError.safeParse(thrown).data ?? {};
  if (status === undefined) return noClearAnswer('Square', 'UNEXPECTED_ERROR');
  if (status === 429) return rateLimited(rawResponse?.headers.get('retry-after'));
  if (status >= 500 || status === 408) return noClearAnswer('Square', `HTTP_${status}`);
  const [complaint] = errors ?? [];
  return complaint === undefined ? noClearAnswer('Square', `HTTP_${status}`) : judge(status, complaint);
}

function judge(status: number, complaint: Complaint): FailureAnswer {
  const code = token(complaint.code) || 'UNKNOWN';
  const said = `(status ${status}, ${code}${token(complaint.field) && `, field ${token(complaint.field)}`})`;
  // A request with other parameters was made under the key, and may have charged: a deploy between two tries is enough.
  if (code === 'IDEMPOTENCY_KEY_REUSED') {
    const message = `Square knows the key with other parameters ${said}`;
    return { kind: 'unknown', code: 'IDEMPOTENCY_MISMATCH', message, replayed: true };
  }
  // Another request holds the key, and may be the first try of this very effect.
  if (status === 409) return { kind: 'unknown', code: 'KEY_IN_USE', message: `Square is busy with the key ${said}` };
  if (ABOUT_OURSELVES.includes(code)) return refused('PERMISSION', said);
  switch (complaint.category) {
    case 'AUTHENTICATION_ERROR':
      return refused(status === 403 ? 'PERMISSION' : 'AUTHENTICATION', said);
    case 'PAYMENT_METHOD_ERROR': {
      const declined = { kind: 'declined', code, message: `Square declined the payment ${said}` } as const;
      return TOKEN_USED.includes(code) ? declined : { ...declined, aboutKey: true };
    }
    case 'INVALID_REQUEST_ERROR':
      return {
        kind: 'declined',
        code: VERDICTS.get(code) ?? 'INVALID_REQUEST',
        message: `Square refuses the request ${said}`,
      };
    case 'REFUND_ERROR':
      return refundRefused(code, said);
    default:
      return noClearAnswer('Square', `HTTP_${status}`);
  }
}

function refundRefused(code: string, said: string): FailureAnswer {
  if (code === 'REFUND_ALREADY_PENDING') {
    return { kind: 'refused', code, message: `Square has not ended another refund of the payment ${said}` };
  }
  return { kind: 'declined', code: VERDICTS.get(code) ?? code, message: `Square refuses the refund ${said}` };
}

function refused(code: string, said: string): FailureAnswer {
  return { kind: 'refused', code, message: `Square does not accept the access token ${said}` };
}

/** Turned away before anything else ("RATE_LIMIT_ERROR"). */
function rateLimited(header: string | null | undefined): FailureAnswer {
  const retryAfterMs = parseRetryAfter(header, Date.now());
  return {
    kind: 'refused',
    code: 'RATE_LIMITED',
    message: 'Square limits the request rate (status 429)',
    trouble: 'busy',
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

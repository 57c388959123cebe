/**
 * The only place that reads the Stripe SDK's errors. What each status and code means is Stripe's documentation, pages
 * "Error handling", "Error codes" and "Advanced error handling" (docs.stripe.com/error-handling, /error-codes,
 * /error-low-level).
 *
 * Messages are built from codes and parameter names alone: Stripe's own messages repeat what was sent, which may hold
 * personal data. The request id finds the full text in Stripe's dashboard.
 */
import { z } from 'zod';
import type { FailureAnswer } from '../answer';
import { token } from '../axios';
import { answerFromFailure, TransportFailure } from '../exchange';
import { parseRetryAfter } from '../retry-after';

/** An answer that is none. */
export const UNREADABLE = {
  kind: 'unknown',
  code: 'UNREADABLE_ANSWER',
  message: 'Stripe answered with something else than what was asked for',
  trouble: 'down',
} as const satisfies FailureAnswer;

/** Known by its fields, since `instanceof` would need the SDK loaded. */
const sdkError = z.object({
  type: z.string(),
  rawType: z.string().nullish(),
  statusCode: z.number().nullish(),
  code: z.string().nullish(),
  decline_code: z.string().nullish(),
  param: z.string().nullish(),
  requestId: z.string().nullish(),
  headers: z.record(z.string(), z.unknown()).nullish(),
  payment_intent: z.object({ id: z.string() }).nullish(),
  detail: z.unknown(),
});
type SdkError = z.infer<typeof sdkError>;

/** What an error about a parameter means to the request that holds it. */
export type ParameterCodes = ReadonlyMap<string, string>;

/**
 * Codes that are about the state of what the request is for and not about the request itself
 * (docs.stripe.com/error-codes), in the service's own words.
 */
const VERDICTS = new Map([
  ['charge_already_refunded', 'ALREADY_REFUNDED'],
  ['charge_disputed', 'PAYMENT_DISPUTED'],
  ['balance_insufficient', 'BALANCE_INSUFFICIENT'],
  ['payouts_limit_exceeded', 'PAYOUT_LIMIT_EXCEEDED'],
  ['instant_payouts_limit_exceeded', 'PAYOUT_LIMIT_EXCEEDED'],
  ['instant_payouts_unsupported', 'INSTANT_UNSUPPORTED'],
  ['instant_payouts_config_disabled', 'INSTANT_UNSUPPORTED'],
  ['instant_payouts_currency_disabled', 'INSTANT_UNSUPPORTED'],
  ['payouts_not_allowed', 'PAYOUTS_NOT_ALLOWED'],
  ['transfers_not_allowed', 'PAYOUTS_NOT_ALLOWED'],
  ['insufficient_capabilities_for_transfer', 'PAYOUTS_NOT_ALLOWED'],
  ['account_closed', 'BANK_ACCOUNT_UNUSABLE'],
  ['bank_account_declined', 'BANK_ACCOUNT_UNUSABLE'],
  ['bank_account_restricted', 'BANK_ACCOUNT_UNUSABLE'],
  ['bank_account_unusable', 'BANK_ACCOUNT_UNUSABLE'],
  ['bank_account_unverified', 'BANK_ACCOUNT_UNUSABLE'],
  ['no_account', 'BANK_ACCOUNT_UNUSABLE'],
]);

/** @param meanings codes for errors about a parameter to which Stripe gives none */
export function answerFromError(thrown: unknown, meanings: ParameterCodes = new Map()): FailureAnswer {
  const parsed = sdkError.safeParse(thrown);
  if (!parsed.success) {
    const name = thrown instanceof Error ? thrown.name : typeof thrown;
    const message = `Calling Stripe ended in an unexpected ${name}`;
    return { kind: 'unknown', code: 'UNEXPECTED_ERROR', message, trouble: 'down' };
  }
  const error = parsed.data;
  if (error.detail instanceof TransportFailure) return answerFromFailure(error.detail, 'Stripe');
  // Another request holds the key or the object, and may be the first try of this very effect.
  if (error.code === 'idempotency_key_in_use') return unknown('KEY_IN_USE', error);
  if (error.code === 'lock_timeout') return unknown('LOCK_TIMEOUT', error);
  if (error.statusCode === 429 || error.code === 'rate_limit') return rateLimited(error);
  return answerFromStatus(error, meanings);
}

function answerFromStatus(error: SdkError, meanings: ParameterCodes): FailureAnswer {
  const status = error.statusCode;
  switch (status) {
    case 400:
    case 402:
    case 404:
      return rejected(error, meanings);
    case 401:
      return { kind: 'refused', code: 'AUTHENTICATION', message: describe('refuses the secret key', error) };
    case 403:
      return { kind: 'refused', code: 'PERMISSION', message: describe('denies permission to the secret key', error) };
    case null:
    case undefined:
      return { ...unknown('UNREADABLE_ANSWER', error), trouble: 'down' };
    default:
      return status >= 500 ? serverError(error) : unknown(`HTTP_${status}`, error);
  }
}

/** Read from `rawType`, not from the SDK's class: the SDK calls every 402 a card error. */
function rejected(error: SdkError, meanings: ParameterCodes): FailureAnswer {
  const reference = error.payment_intent ? { reference: error.payment_intent.id } : {};
  switch (error.rawType ?? '') {
    case 'card_error': {
      // `||`, since the SDK writes '' for a decline code that is not there.
      const code = token(error.decline_code) || token(error.code) || 'card_error';
      return {
        kind: 'declined',
        code,
        message: describe(`declined the payment: ${code}`, error),
        aboutKey: true,
        ...reference,
      };
    }
    case 'invalid_request_error': {
      const where = [token(error.code), token(error.param)].filter(Boolean).join(', parameter ');
      const message = describe(`calls the request invalid${where ? `: ${where}` : ''}`, error);
      const meant = error.code ? VERDICTS.get(error.code) : meanings.get(error.param ?? '');
      return { kind: 'declined', code: meant ?? 'INVALID_REQUEST', message, ...reference };
    }
    case 'idempotency_error': {
      // A request with other parameters was made under the key, and may have charged: a deploy between two tries is enough.
      const message = describe('knows the provider key with other parameters', error);
      return { kind: 'unknown', code: 'IDEMPOTENCY_MISMATCH', message, replayed: true };
    }
    default:
      return unknown(`HTTP_${error.statusCode}`, error);
  }
}

/** Turned away before the idempotency layer, so that nothing of this call happened ("Rate limits"). */
function rateLimited(error: SdkError): FailureAnswer {
  const retryAfterMs = parseRetryAfter(error.headers?.['retry-after'], Date.now());
  return {
    kind: 'refused',
    code: 'RATE_LIMITED',
    message: describe('limits the request rate', error),
    trouble: 'busy',
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** "Treat the result of a 500 as indeterminate"; Stripe stores it under the key and marks each repetition of it. */
function serverError(error: SdkError): FailureAnswer {
  const answer = unknown('SERVER_ERROR', error);
  // A repeated answer tells of the past.
  const replayed = error.headers?.['idempotent-replayed'] === 'true';
  return replayed ? { ...answer, replayed } : { ...answer, trouble: 'down' };
}

function unknown(code: string, error: SdkError): Extract<FailureAnswer, { kind: 'unknown' }> {
  return { kind: 'unknown', code, message: describe(`gave no clear answer: ${code}`, error) };
}

function describe(what: string, { statusCode, requestId }: SdkError): string {
  const facts = [statusCode && `status ${statusCode}`, token(requestId) && `request ${requestId}`].filter(Boolean);
  return `Stripe ${what}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}`;
}

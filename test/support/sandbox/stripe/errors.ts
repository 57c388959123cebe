/** Stripe's error bodies, as "Errors" and "Error codes" describe them (docs.stripe.com/api/errors, /error-codes). */
import type { SandboxReply } from '../http';

export interface StripeErrorBody {
  type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';
  message: string;
  code?: string;
  decline_code?: string;
  param?: string;
  charge?: string;
  doc_url?: string;
  payment_intent?: object;
}

/** Thrown by what reads and carries out a request; caught once, where requests are answered. */
export class Refusal extends Error {
  readonly reply: SandboxReply;
  /** Execution had begun, so that the answer is kept under the idempotency key. */
  readonly executed: boolean;

  constructor(reply: SandboxReply, { executed }: { executed: boolean }) {
    super(`status ${reply.status}`);
    this.reply = reply;
    this.executed = executed;
  }
}

export function errorReply(status: number, error: StripeErrorBody, headers: Record<string, string> = {}): SandboxReply {
  const page = error.code === undefined ? {} : { doc_url: docUrl(error.code) };
  return { status, body: { error: { ...error, ...page } }, headers };
}

export function docUrl(code: string): string {
  return `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}`;
}

/** A parameter that fails validation. */
export function invalid(message: string, details: Pick<StripeErrorBody, 'code' | 'param'> = {}): Refusal {
  return new Refusal(errorReply(400, { type: 'invalid_request_error', message, ...details }), { executed: false });
}

/** A missing object is 404 in the path, but 400 as a parameter. */
export function noSuch(kind: string, id: string, param: string, status: 400 | 404): Refusal {
  const message = `No such ${kind}: '${id}'`;
  const error = { type: 'invalid_request_error', code: 'resource_missing', message, param } as const;
  return new Refusal(errorReply(status, error), { executed: true });
}

export function rateLimited(retryAfterSeconds: number): SandboxReply {
  const message = 'Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.';
  return errorReply(
    429,
    { type: 'invalid_request_error', code: 'rate_limit', message },
    { 'retry-after': String(retryAfterSeconds) },
  );
}

export function unavailable(): SandboxReply {
  return errorReply(503, { type: 'api_error', message: 'The service is temporarily unavailable. Please try again.' });
}

export function serverError(): SandboxReply {
  const message =
    'Sorry! There was an error while talking to one of our backend services. We have already been notified of the problem.';
  return errorReply(500, { type: 'api_error', message });
}

export function unknownUrl(method: string, path: string): SandboxReply {
  const message = `Unrecognized request URL (${method}: ${path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`;
  return errorReply(404, { type: 'invalid_request_error', message });
}

/** An account that does not exist, or has disconnected. */
export function noAccess(account: string): SandboxReply {
  const message = `The provided key 'sk_test_****' does not have access to account '${account}' (or that account does not exist). Application access may have been revoked.`;
  return errorReply(403, { type: 'invalid_request_error', code: 'account_invalid', message });
}

/** Test keys `sk_test_…`; a restricted `rk_test_…` may read only. Undefined when the caller may go on. */
export function checkSecretKey(authorization: string | undefined, method: string): SandboxReply | undefined {
  const key = /^Bearer (.+)$/.exec(authorization ?? '')?.[1];
  if (key === undefined) {
    const message =
      "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.";
    return errorReply(401, { type: 'invalid_request_error', message });
  }
  const hidden = `${key.slice(0, 8)}****${key.slice(-4)}`;
  if (!/^(sk|rk)_test_\w+$/.test(key)) {
    return errorReply(401, { type: 'invalid_request_error', message: `Invalid API Key provided: ${hidden}` });
  }
  if (key.startsWith('rk_') && method !== 'GET') {
    const message = `The provided key '${hidden}' does not have the required permissions for this endpoint on account 'acct_sandbox'. Having the 'rak_payment_intent_write' permission would allow this request to continue.`;
    return errorReply(403, { type: 'invalid_request_error', message });
  }
  return undefined;
}

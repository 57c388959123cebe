/** Square's error bodies ("Handling errors", developer.squareup.com/docs/build-basics/general-considerations/handling-errors). */
import type { z } from 'zod';
import type { SandboxReply } from '../http';

type Category =
  | 'API_ERROR'
  | 'AUTHENTICATION_ERROR'
  | 'INVALID_REQUEST_ERROR'
  | 'RATE_LIMIT_ERROR'
  | 'PAYMENT_METHOD_ERROR'
  | 'REFUND_ERROR';

interface SquareError {
  category: Category;
  code: string;
  detail: string;
  field?: string;
}

export function refusal(status: number, error: SquareError, headers: Record<string, string> = {}): SandboxReply {
  return { status, body: { errors: [error] }, headers };
}

export function invalid(code: string, detail: string, status = 400): SandboxReply {
  return refusal(status, { category: 'INVALID_REQUEST_ERROR', code, detail });
}

export function refundRefused(code: string, detail: string): SandboxReply {
  return refusal(400, { category: 'REFUND_ERROR', code, detail });
}

export function declined(code: string): SandboxReply {
  return refusal(402, { category: 'PAYMENT_METHOD_ERROR', code, detail: `Authorization error: '${code}'` });
}

export function rateLimited(seconds: number): SandboxReply {
  const error = { category: 'RATE_LIMIT_ERROR', code: 'RATE_LIMITED', detail: 'Too many requests.' } as const;
  return refusal(429, error, { 'retry-after': String(seconds) });
}

export const unauthorized = () =>
  refusal(401, {
    category: 'AUTHENTICATION_ERROR',
    code: 'UNAUTHORIZED',
    detail: 'This request could not be authorized.',
  });

export const forbidden = () =>
  refusal(403, {
    category: 'AUTHENTICATION_ERROR',
    code: 'INSUFFICIENT_SCOPES',
    detail: 'The token lacks a permission.',
  });

export const unavailable = () =>
  refusal(503, { category: 'API_ERROR', code: 'SERVICE_UNAVAILABLE', detail: 'Service Unavailable' });

export const serverError = () =>
  refusal(500, { category: 'API_ERROR', code: 'INTERNAL_SERVER_ERROR', detail: 'An internal error has occurred.' });

export const notFound = (what: string) => invalid('NOT_FOUND', `Could not find ${what}.`, 404);

/** What is wrong with a body: the first of it, as Square's codes name such things. */
export function badBody(error: z.ZodError): SandboxReply {
  const [issue] = error.issues;
  const field = issue?.path.map(String).join('.') ?? '';
  const code = codeOf(issue);
  return refusal(400, { category: 'INVALID_REQUEST_ERROR', code, detail: issue?.message ?? '', field });
}

function codeOf(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === 'unrecognized_keys') return 'UNKNOWN_BODY_PARAMETER';
  if (issue?.code === 'too_big') return issue.origin === 'string' ? 'VALUE_TOO_LONG' : 'VALUE_TOO_HIGH';
  if (issue?.code === 'too_small') return issue.origin === 'string' ? 'VALUE_TOO_SHORT' : 'VALUE_TOO_LOW';
  return issue?.code === 'invalid_type' ? 'MISSING_REQUIRED_PARAMETER' : 'INVALID_VALUE';
}

/** Public names of the HTTP surface. Other programs rely on them: they may be added to, never changed. */

export const BASE_PATH = '/api/v1/queue';

/** Providers whose webhooks are taken. */
export const WEBHOOK_PROVIDERS = ['stripe', 'sendgrid', 'twilio'] as const;
export type WebhookProvider = (typeof WEBHOOK_PROVIDERS)[number];

/** Where a provider's webhooks come to, below the base path. */
export function webhookPath(provider: WebhookProvider): string {
  return `/provider-webhooks/${provider}`;
}

/** What an HTTP request may be refused with: its code, its status and a sentence for people. See docs/errors.md. */
export const HTTP_ERRORS = {
  UNREADABLE: { status: 400, sentence: 'The request cannot be read.' },
  INVALID_REQUEST: { status: 400, sentence: 'The request does not have the form that is asked for.' },
  UNKNOWN_TYPE: { status: 400, sentence: 'The job type does not exist.' },
  WRONG_QUEUE: { status: 400, sentence: 'Queue and type do not belong together.' },
  NOT_STORABLE: { status: 400, sentence: 'The request cannot be stored.' },
  UNAUTHENTICATED: { status: 401, sentence: 'A valid bearer token is needed.' },
  TOKEN_EXPIRED: { status: 401, sentence: 'The token has expired.' },
  SIGNATURE_INVALID: { status: 401, sentence: 'The signature is missing, wrong or too old.' },
  FORBIDDEN: { status: 403, sentence: 'The role of the token does not allow this.' },
  TYPE_NOT_ALLOWED: { status: 403, sentence: 'The role of the token may not ask for jobs of this type.' },
  NOT_YOURS: { status: 403, sentence: 'The request is made in the name of somebody else.' },
  NOT_FOUND: { status: 404, sentence: 'There is nothing here, or it is not yours to see.' },
  REQUEST_TIMEOUT: { status: 408, sentence: 'The request did not arrive in time.' },
  IDEMPOTENCY_CONFLICT: { status: 409, sentence: 'The idempotency key is held by a job with another payload.' },
  REQUEST_ID_REUSED: { status: 409, sentence: 'The identity of the request belongs to another one.' },
  BODY_TOO_LARGE: { status: 413, sentence: 'The body has more than 1 MiB.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, sentence: 'The body must be application/json, and not compressed.' },
  HEADERS_TOO_LARGE: { status: 431, sentence: 'The headers are too large.' },
  INTERNAL_ERROR: { status: 500, sentence: 'Something went wrong here.' },
  AUTHENTICATION_UNAVAILABLE: { status: 503, sentence: 'Tokens cannot be verified just now.' },
  TYPE_UNAVAILABLE: { status: 503, sentence: 'Jobs of this type cannot be run by this deployment.' },
  WEBHOOKS_UNAVAILABLE: { status: 503, sentence: 'Webhooks of this provider are not configured.' },
  QUEUE_UNAVAILABLE: { status: 503, sentence: 'No job was taken. Ask again with the same idempotency key.' },
  STORE_UNAVAILABLE: { status: 503, sentence: 'Jobs cannot be looked at just now.' },
  NOT_RUNNING: { status: 503, sentence: 'This process is starting or stopping.' },
  OVERLOADED: { status: 503, sentence: 'Too many requests are under way. Ask again with the same idempotency key.' },
} as const;

export type HttpErrorCode = keyof typeof HTTP_ERRORS;

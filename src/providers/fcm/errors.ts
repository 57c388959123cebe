/**
 * The only place that reads FCM's answers and the SDK's errors. What each code means is Firebase's documentation, "FCM error
 * codes" (firebase.google.com/docs/cloud-messaging/error-codes) and "Admin FCM API errors" (…/send/admin-sdk#error-codes).
 *
 * Messages are built from codes alone: FCM's own may repeat a token.
 */
import { z } from 'zod';
import type { FailureAnswer, PlainAnswer } from '../answer';
import { answerFromTransport, noClearAnswer, token } from '../axios';
import { DEVICE_GONE, type SentPush } from '../push-message';
import { parseRetryAfter } from '../retry-after';
import type { TokenError } from './credential';
import type { Exchange } from './exchange';

const PROVIDER = 'FCM';

const messageName = z.string().regex(/^projects\/[^/]{1,100}\/messages\/[\w:%.-]{1,300}$/);
const sdkError = z.object({ code: z.string() });

/** The account or what it may do: no fault of the message, and mended by configuration. */
const ABOUT_OURSELVES = [
  'messaging/authentication-error',
  'messaging/mismatched-credential',
  'messaging/third-party-auth-error',
];
const NOT_NOW = [
  'messaging/message-rate-exceeded',
  'messaging/device-message-rate-exceeded',
  'messaging/topics-message-rate-exceeded',
];

/** Taken, and only then known to be so: something that answers for FCM may say 200 to everything. */
export function answerFromName(name: unknown): PlainAnswer<SentPush> {
  const parsed = messageName.safeParse(name);
  if (!parsed.success) return noClearAnswer(PROVIDER, 'UNREADABLE_ANSWER');
  return { kind: 'done', value: { messageId: parsed.data }, reference: parsed.data };
}

/** @param tokenFailure of the last time that a token was asked for, if it failed */
export function answerFromError(
  thrown: unknown,
  exchange: Exchange,
  tokenFailure: TokenError | undefined,
  now: number,
): FailureAnswer {
  const code = sdkError.safeParse(thrown).data?.code ?? '';
  if (!exchange.begun) return nothingSent(code, tokenFailure);
  if (exchange.status === undefined || exchange.failure !== undefined) {
    return answerFromTransport(exchange.failure ?? thrown, PROVIDER);
  }
  return answerFromStatus(exchange.status, code, parseRetryAfter(exchange.retryAfter, now));
}

function nothingSent(code: string, tokenFailure: TokenError | undefined): FailureAnswer {
  // The SDK reads a message before it sends it.
  if (code.startsWith('messaging/'))
    return refusedPush(`${token(code.slice('messaging/'.length))}, before it was sent`);
  if (tokenFailure?.refused) return unauthorized('no token is given to the service account');
  return {
    kind: 'refused',
    code: 'FCM_TOKEN_UNAVAILABLE',
    message: 'no token was given, nothing was sent to FCM',
    trouble: 'down',
  };
}

function answerFromStatus(status: number, code: string, retryAfterMs: number | undefined): FailureAnswer {
  if (status >= 500 || status === 408 || status < 400) return noClearAnswer(PROVIDER, `HTTP_${status}`);
  const said = `status ${status}, ${token(code.split('/').at(-1)) || 'no code'}`;
  if (status === 429 || NOT_NOW.includes(code)) return rateLimited(said, retryAfterMs);
  if (status === 401 || status === 403 || ABOUT_OURSELVES.includes(code)) return unauthorized(said);
  if (code === 'messaging/registration-token-not-registered') {
    return { kind: 'declined', code: DEVICE_GONE, message: `the app is not on the device any more (${said})` };
  }
  return refusedPush(said);
}

function rateLimited(said: string, retryAfterMs: number | undefined): FailureAnswer {
  return {
    kind: 'refused',
    code: 'RATE_LIMITED',
    message: `FCM takes no more messages just now (${said})`,
    trouble: 'busy',
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function unauthorized(said: string): FailureAnswer {
  return { kind: 'refused', code: 'FCM_UNAUTHORIZED', message: `FCM does not accept the service account (${said})` };
}

function refusedPush(said: string): FailureAnswer {
  return { kind: 'declined', code: 'PUSH_REFUSED', message: `FCM refuses the message (${said})` };
}

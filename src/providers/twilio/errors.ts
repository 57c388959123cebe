/**
 * The only place that reads Twilio's answers and the SDK's errors. What each code means is Twilio's "Error and Warning
 * Dictionary" (twilio.com/docs/api/errors).
 *
 * Messages are built from numbers alone: Twilio's own repeat the recipient.
 */
import { z } from 'zod';
import type { FailureAnswer, PlainAnswer } from '../answer';
import { answerFromTransport, noClearAnswer } from '../axios';
import { parseRetryAfter } from '../retry-after';

const PROVIDER = 'Twilio';

/** What Twilio told of a message that it took. */
export interface SentText {
  /** `SM…` */
  messageId: string;
}

const taken = z.object({
  sid: z.string().regex(/^(SM|MM)[0-9a-f]{32}$/i),
  status: z.string(),
  errorCode: z.int().nullish(),
});

/** The SDK's error for every status that is not 2xx. */
const httpError = z.object({ status: z.int(), code: z.int().nullish() });

/** Twilio gave a message up before it answered. */
const GIVEN_UP = ['failed', 'undelivered', 'canceled'];

/** The account, its token or its sender: no fault of the message, and mended by configuration. */
const ABOUT_OURSELVES = [20003, 20005, 21212, 21603, 21606, 21659, 21660, 30034];
/** Too much at once, a queue that is full, maintenance. */
const NOT_NOW = [14107, 20429, 21611, 21730, 30001];

const DECLINES: readonly { code: string; message: string; codes: readonly number[] }[] = [
  {
    code: 'INVALID_NUMBER',
    message: 'Twilio can send no text message to this number',
    codes: [21211, 21214, 21217, 21612, 21614, 21635, 30005, 30006],
  },
  { code: 'UNSUBSCRIBED', message: 'the recipient wants no more messages', codes: [21610] },
  { code: 'REGION_NOT_ALLOWED', message: "the account may not send to the number's country", codes: [21408] },
  { code: 'TEXT_REFUSED', message: 'Twilio or a carrier refuses the text', codes: [21602, 21617, 21619, 30007] },
];

/** Taken, and only then known to be so: something that answers for Twilio may say 200 to everything. */
export function answerFromReply(reply: unknown): PlainAnswer<SentText> {
  const parsed = taken.safeParse(reply);
  if (!parsed.success) return noClearAnswer(PROVIDER, 'UNREADABLE_ANSWER');
  const { sid, status, errorCode } = parsed.data;
  if (GIVEN_UP.includes(status)) return declined(errorCode ?? undefined, `message ${status}`);
  return { kind: 'done', value: { messageId: sid }, reference: sid };
}

/** @param retryAfter the header of that name */
export function answerFromError(thrown: unknown, retryAfter: unknown, now: number): FailureAnswer {
  const answered = httpError.safeParse(thrown);
  if (!answered.success) return answerFromTransport(thrown, PROVIDER);
  const { status } = answered.data;
  const code = answered.data.code ?? undefined;
  if (status >= 500 || status === 408 || status < 400) return noClearAnswer(PROVIDER, `HTTP_${status}`);
  const said = saying(`status ${status}`, code);
  if (status === 429 || NOT_NOW.includes(code ?? 0)) return rateLimited(said, parseRetryAfter(retryAfter, now));
  if (status === 401 || status === 403 || ABOUT_OURSELVES.includes(code ?? 0)) {
    const message = `Twilio does not accept the account or the sender (${said})`;
    return { kind: 'refused', code: 'TWILIO_UNAUTHORIZED', message };
  }
  return declined(code, `status ${status}`);
}

function rateLimited(said: string, retryAfterMs: number | undefined): FailureAnswer {
  return {
    kind: 'refused',
    code: 'RATE_LIMITED',
    message: `Twilio takes no more messages just now (${said})`,
    trouble: 'busy',
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function declined(code: number | undefined, what: string): Extract<FailureAnswer, { kind: 'declined' }> {
  const known = DECLINES.find(({ codes }) => codes.includes(code ?? 0));
  const said = saying(what, code);
  if (!known) return { kind: 'declined', code: 'SMS_REFUSED', message: `Twilio refuses the message (${said})` };
  return { kind: 'declined', code: known.code, message: `${known.message} (${said})` };
}

function saying(what: string, code: number | undefined): string {
  return code === undefined ? what : `${what}, code ${code}`;
}

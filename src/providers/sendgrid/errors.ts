/**
 * The only place that reads SendGrid's answers and the SDK's errors. What each status means is SendGrid's
 * documentation, "Responses" and "Rate limits" (sendgrid.com/docs/API_Reference/Web_API_v3/How_To_Use_The_Web_API_v3).
 *
 * Messages are built from statuses and field names alone: SendGrid's own repeat what was sent, and the SDK's errors
 * carry the whole request with its key.
 */
import { z } from 'zod';
import type { FailureAnswer, PlainAnswer } from '../answer';
import { answerFromTransport, noClearAnswer, token } from '../axios';
import { parseRetryAfter } from '../retry-after';

const PROVIDER = 'SendGrid';

/** What SendGrid told of a mail that it took. */
export interface SentMail {
  /** The beginning of every `sg_message_id` in its event webhook. */
  messageId: string;
}

const accepted = z.object({
  statusCode: z.literal(202),
  headers: z.object({ 'x-message-id': z.string().regex(/^[\w.-]{1,100}$/) }),
});

/** The SDK's error for a status of 400 and more. */
const httpError = z.object({
  code: z.int(),
  response: z.object({
    headers: z.object({ 'retry-after': z.string().optional(), 'x-ratelimit-reset': z.string().optional() }),
    body: z.unknown().optional(),
  }),
});

const complaints = z.object({ errors: z.array(z.object({ field: z.string().nullish() })) });

/** Taken, and only then known to be so: something that answers for SendGrid may say 200 to everything. */
export function answerFromReply(reply: unknown): PlainAnswer<SentMail> {
  const parsed = accepted.safeParse(reply);
  if (!parsed.success) return noClearAnswer(PROVIDER, 'UNREADABLE_ANSWER');
  const messageId = parsed.data.headers['x-message-id'];
  return { kind: 'done', value: { messageId }, reference: messageId };
}

/** @param now milliseconds since 1970; SendGrid tells when its limit ends, not how long it lasts */
export function answerFromError(thrown: unknown, now: number): FailureAnswer {
  const answered = httpError.safeParse(thrown);
  if (answered.success) return answerFromStatus(answered.data, now);
  return answerFromTransport(thrown, PROVIDER);
}

function answerFromStatus({ code: status, response }: z.infer<typeof httpError>, now: number): FailureAnswer {
  if (status >= 500 || status === 408) return noClearAnswer(PROVIDER, `HTTP_${status}`);
  if (status === 429) return rateLimited(response.headers, now);
  // Also for a sender that nobody verified: no fault of the mail, and mended by configuration.
  if (status === 401 || status === 403) {
    const message = `SendGrid does not accept the key or the sender (status ${status})`;
    return { kind: 'refused', code: 'SENDGRID_UNAUTHORIZED', message };
  }
  const fields = fieldsOf(response.body);
  const where = fields.length > 0 ? `, fields: ${fields.join(', ')}` : '';
  return { kind: 'declined', code: 'EMAIL_REFUSED', message: `SendGrid refuses the mail (status ${status}${where})` };
}

function rateLimited(headers: z.infer<typeof httpError>['response']['headers'], now: number): FailureAnswer {
  const retryAfterMs = parseRetryAfter(headers['retry-after'], now) ?? untilReset(headers['x-ratelimit-reset'], now);
  return {
    kind: 'refused',
    code: 'RATE_LIMITED',
    message: 'SendGrid limits the request rate (status 429)',
    trouble: 'busy',
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** `x-ratelimit-reset` is a Unix time in seconds. */
function untilReset(header: unknown, now: number): number | undefined {
  return typeof header === 'string' && /^\d{1,12}$/.test(header) ? Math.max(0, Number(header) * 1000 - now) : undefined;
}

/** What SendGrid complains about, by name. */
function fieldsOf(body: unknown): string[] {
  const parsed = complaints.safeParse(body);
  const named = parsed.success ? parsed.data.errors.map(({ field }) => token(field)) : [];
  return [...new Set(named)].filter((field) => field !== '').slice(0, 10);
}

/**
 * The only place that reads SendGrid's answers and the SDK's errors. What each status means is SendGrid's
 * documentation, "Responses" and "Rate limits" (sendgrid.com/docs/API_Reference/Web_API_v3/How_To_Use_The_Web_API_v3).
 *
 * Messages are built from statuses and field names alone: SendGrid's own repeat what was sent, and the SDK's errors
 * carry the whole request with its key.
 */
import { z } from 'zod';
import type { DoneAnswer, PlainAnswer } from '../answer';
import { parseRetryAfter } from '../retry-after';

/** What SendGrid told of a mail that it took. */
export interface SentMail {
  /** The beginning of every `sg_message_id` in its event webhook. */
  messageId: string;
}

/** Everything an error can mean; an error never means that the mail was taken. */
export type FailureAnswer = Exclude<PlainAnswer<never>, DoneAnswer<never>>;

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

/** An error of axios: the connection, the deadline, or a status that is no error to the SDK. */
const transportError = z.object({
  code: z.string(),
  response: z.object({ status: z.int() }).optional(),
  cause: z.object({ syscall: z.string().optional() }).optional(),
});

const complaints = z.object({ errors: z.array(z.object({ field: z.string().nullish() })) });

/** Taken, and only then known to be so: something that answers for SendGrid may say 200 to everything. */
export function answerFromReply(reply: unknown): PlainAnswer<SentMail> {
  const parsed = accepted.safeParse(reply);
  if (!parsed.success) return unknown('UNREADABLE_ANSWER');
  const messageId = parsed.data.headers['x-message-id'];
  return { kind: 'done', value: { messageId }, reference: messageId };
}

/** @param now milliseconds since 1970; SendGrid tells when its limit ends, not how long it lasts */
export function answerFromError(thrown: unknown, now: number): FailureAnswer {
  const answered = httpError.safeParse(thrown);
  if (answered.success) return answerFromStatus(answered.data, now);
  const broken = transportError.safeParse(thrown);
  return broken.success ? answerFromTransport(broken.data) : unknown('UNEXPECTED_ERROR');
}

function answerFromStatus({ code: status, response }: z.infer<typeof httpError>, now: number): FailureAnswer {
  if (status >= 500 || status === 408) return unknown(`HTTP_${status}`);
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
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** `x-ratelimit-reset` is a Unix time in seconds. */
function untilReset(header: unknown, now: number): number | undefined {
  return typeof header === 'string' && /^\d{1,12}$/.test(header) ? Math.max(0, Number(header) * 1000 - now) : undefined;
}

const BEFORE_ANYTHING_IS_SENT = ['getaddrinfo', 'connect'];

function answerFromTransport({ code, response, cause }: z.infer<typeof transportError>): FailureAnswer {
  if (response) return unknown(`HTTP_${response.status}`);
  // Only our deadline cancels.
  if (code === 'ERR_CANCELED') return unknown('TIMEOUT');
  const reason = token(code) || 'CONNECTION_FAILED';
  const reached = code !== 'ECONNREFUSED' && !BEFORE_ANYTHING_IS_SENT.includes(cause?.syscall ?? '');
  if (reached) return unknown(reason);
  return { kind: 'refused', code: reason, message: `SendGrid was not reached, nothing was sent: ${reason}` };
}

function unknown(code: string): Extract<FailureAnswer, { kind: 'unknown' }> {
  return { kind: 'unknown', code, message: `SendGrid gave no clear answer: ${code}` };
}

/** What SendGrid complains about, by name. */
function fieldsOf(body: unknown): string[] {
  const parsed = complaints.safeParse(body);
  const named = parsed.success ? parsed.data.errors.map(({ field }) => token(field)) : [];
  return [...new Set(named)].filter((field) => field !== '').slice(0, 10);
}

/** Codes and field names as they are; free text, which may hold anything, is left out. */
function token(text: string | null | undefined): string {
  return text && /^[\w.[\]-]{1,100}$/.test(text) ? text : '';
}

/**
 * What SendGrid's and Twilio's SDKs leave open, who both send with axios: it obeys proxy variables of the environment,
 * follows redirects with the key in its hands, reads answers of any length, and starts its time-out again with every byte
 * that arrives. And what axios says when no answer came.
 */
import http from 'node:http';
import https from 'node:https';
import { z } from 'zod';
import type { FailureAnswer } from './answer';

/**
 * Idle connections are dropped before the other end is likely to drop them: a request written to a connection that is
 * being closed is answered by a reset, and after a reset nobody knows what happened.
 */
const IDLE_CONNECTION_MS = 10_000;

/** Settings of axios for all requests to one provider, which share their connections. */
export function axiosBounds(maxAnswerBytes: number) {
  return {
    proxy: false,
    maxRedirects: 0,
    maxContentLength: maxAnswerBytes,
    httpAgent: new http.Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MS }),
    httpsAgent: new https.Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MS }),
  } as const;
}

/** Gives a call a signal that aborts after `timeoutMs`, whatever arrives until then. */
export async function withDeadline<Value>(
  timeoutMs: number,
  call: (deadline: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  try {
    return await call(deadline.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** An error of axios, or of Node: the connection, the deadline, or a status that is no error to the SDK. */
const transportError = z.object({
  code: z.string(),
  syscall: z.string().optional(),
  response: z.object({ status: z.int() }).optional(),
  cause: z.object({ syscall: z.string().optional() }).optional(),
});

const BEFORE_ANYTHING_IS_SENT = ['getaddrinfo', 'connect'];

/** What it means that no answer came, or one that the SDK cannot read. */
export function answerFromTransport(thrown: unknown, provider: string): FailureAnswer {
  const parsed = transportError.safeParse(thrown);
  if (!parsed.success) return noClearAnswer(provider, 'UNEXPECTED_ERROR');
  const { code, response, syscall, cause } = parsed.data;
  if (response) return noClearAnswer(provider, `HTTP_${response.status}`);
  // Only our deadline cancels.
  if (code === 'ERR_CANCELED' || code === 'ERR_DEADLINE') return noClearAnswer(provider, 'TIMEOUT');
  const reason = token(code) || 'CONNECTION_FAILED';
  const reached = code !== 'ECONNREFUSED' && !BEFORE_ANYTHING_IS_SENT.includes(cause?.syscall ?? syscall ?? '');
  if (reached) return noClearAnswer(provider, reason);
  const message = `${provider} was not reached, nothing was sent: ${reason}`;
  return { kind: 'refused', code: reason, message, trouble: 'down' };
}

export function noClearAnswer(provider: string, code: string): Extract<FailureAnswer, { kind: 'unknown' }> {
  return { kind: 'unknown', code, message: `${provider} gave no clear answer: ${code}`, trouble: 'down' };
}

/** Codes and field names as they are; free text, which may hold anything, is left out. */
export function token(text: string | null | undefined): string {
  return text && /^[\w.[\]-]{1,100}$/.test(text) ? text : '';
}

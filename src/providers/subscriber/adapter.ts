/**
 * Whoever wants to be called back, by Standard Webhooks (github.com/standard-webhooks/standard-webhooks): a signed POST with
 * an id by which repeats are told. Only to public addresses, also where a redirect leads; what one subscriber does says
 * nothing about our own network, nor about the others.
 *
 * `send` resolves with an answer and never rejects. Killed in between, nobody knows, and it is sent again.
 */
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { InternalAddressError, type AddressGuard } from '../../platform/outbound/addresses';
import { GuardedAgent } from '../../platform/outbound/agents';
import { post, type PostAnswer } from '../../platform/outbound/post';
import { CONTENT_TYPE } from '../../contract/names';
import { ABORTED_BEFORE, type FailureAnswer, type PlainAnswer } from '../answer';
import { answerFromTransport } from '../axios';
import { parseRetryAfter } from '../retry-after';

export interface Callback {
  url: string;
  /** Stays the same however often it is sent. */
  id: string;
  body: string;
  /** Each signs it: while a secret is being changed, there are two. */
  secrets: string[];
}

export interface CallbackCall {
  /** From the start of the call to the last byte of its answer. */
  timeoutMs: number;
  /** Keeps back a call that has not begun. */
  signal: AbortSignal;
}

export interface SubscriberAdapter {
  send(callback: Callback, call: CallbackCall): Promise<PlainAnswer<{ status: number }>>;
}

/** The subscriber wants no more. */
export const SUBSCRIBER_GONE = 'SUBSCRIBER_GONE';

const PROVIDER = 'The subscriber';
const MAX_REDIRECTS = 3;
/** Nothing but the status is of interest. */
const MAX_ANSWER_BYTES = 4_096;
/** Longer than this nobody can have us wait. */
const MAX_PAUSE_MS = 60 * 60 * 1_000;

export function createSubscriberAdapter(guard: AddressGuard, ca: string | undefined): SubscriberAdapter {
  const agent = new GuardedAgent(guard, ca);
  return {
    async send(callback, { timeoutMs, signal }) {
      if (signal.aborted) return ABORTED_BEFORE;
      const endsAt = performance.now() + timeoutMs;
      const ask = (url: URL): Promise<PostAnswer> =>
        post(url, {
          headers: headersOf(callback, new Date()),
          body: callback.body,
          agent,
          timeoutMs: Math.max(1, endsAt - performance.now()),
          maxAnswerBytes: MAX_ANSWER_BYTES,
        });
      try {
        return answerFromReply(await following(new URL(callback.url), ask), Date.now());
      } catch (error) {
        return answerFromError(error);
      }
    },
  };
}

function headersOf({ id, body, secrets }: Callback, now: Date): Record<string, string> {
  return {
    'content-type': CONTENT_TYPE,
    'user-agent': 'queue-service',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, now, body)).join(' '),
  };
}

/** Those redirects alone that keep a POST a POST. */
async function following(first: URL, ask: (url: URL) => Promise<PostAnswer>): Promise<PostAnswer> {
  let url = first;
  for (let redirects = 0; ; redirects += 1) {
    const answer = await ask(url);
    const { location } = answer.headers;
    const leadsOn = (answer.status === 307 || answer.status === 308) && location !== undefined;
    if (!leadsOn || redirects === MAX_REDIRECTS) return answer;
    url = new URL(location, url);
  }
}

function answerFromReply({ status, headers }: PostAnswer, now: number): PlainAnswer<{ status: number }> {
  if (status >= 200 && status < 300) return { kind: 'done', value: { status }, reference: String(status) };
  if (status === 410) {
    return { kind: 'declined', code: SUBSCRIBER_GONE, message: `${PROVIDER} wants no more (status 410)` };
  }
  const retryAfterMs = parseRetryAfter(headers['retry-after'], now);
  return {
    kind: 'refused',
    code: `HTTP_${status}`,
    message: `${PROVIDER} did not take it (status ${status})`,
    trouble: 'unheard',
    ...(retryAfterMs === undefined ? {} : { retryAfterMs: Math.min(MAX_PAUSE_MS, retryAfterMs) }),
  };
}

const nodeError = z.object({ code: z.string() });
const NO_ADDRESS = ['ERR_INVALID_URL', 'ERR_INVALID_PROTOCOL'];

function answerFromError(thrown: unknown): FailureAnswer {
  const code = nodeError.safeParse(thrown).data?.code ?? '';
  if (thrown instanceof InternalAddressError || NO_ADDRESS.includes(code)) {
    const message = `${PROVIDER} is at an address that is none of the internet, or not one of https`;
    return { kind: 'declined', code: 'ADDRESS_NOT_ALLOWED', message, trouble: 'unheard' };
  }
  return { ...answerFromTransport(thrown, PROVIDER), trouble: 'unheard' };
}

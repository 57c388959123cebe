/**
 * The only place that reads what push services answer. What each status means is RFC 8030 (section 5, 7.3, 8.4).
 *
 * A push service is whatever a browser has named: what one of them does says nothing of the others, nor of our account.
 * Messages are built from codes alone: an endpoint is as good as a key to the device.
 */
import { z } from 'zod';
import type { FailureAnswer, PlainAnswer } from '../answer';
import type { PostAnswer } from '../../platform/outbound/post';
import { answerFromTransport, noClearAnswer } from '../axios';
import { DEVICE_GONE, type SentPush } from '../push-message';
import { parseRetryAfter } from '../retry-after';

const PROVIDER = 'The push service';

const nodeError = z.object({ code: z.string() });

/** No connection was made, and none will be. */
const NOT_OF_THE_INTERNET = ['ERR_INTERNAL_ADDRESS', 'ERR_INVALID_URL', 'ERR_INVALID_PROTOCOL'];

/** Longer than this nobody can have us wait. */
const MAX_PAUSE_MS = 60 * 60 * 1_000;

export function answerFromReply({ status, headers }: PostAnswer, now: number): PlainAnswer<SentPush> {
  if (status === 200 || status === 201 || status === 202) {
    return { kind: 'done', value: { messageId: '' }, reference: '' };
  }
  if (status === 404 || status === 410) {
    return { kind: 'declined', code: DEVICE_GONE, message: `the subscription is over (status ${status})` };
  }
  if (status === 429) {
    const retryAfterMs = Math.min(MAX_PAUSE_MS, parseRetryAfter(headers['retry-after'], now) ?? 0);
    const message = `${PROVIDER} takes no more messages just now (status 429)`;
    return { kind: 'refused', code: 'RATE_LIMITED', message, retryAfterMs };
  }
  if (status === 401 || status === 403) {
    const message = `${PROVIDER} does not accept the keys (status ${status})`;
    return { kind: 'refused', code: 'VAPID_REFUSED', message };
  }
  if (status >= 500 || status === 408 || status < 400) return unheard(noClearAnswer(PROVIDER, `HTTP_${status}`));
  return { kind: 'declined', code: 'PUSH_REFUSED', message: `${PROVIDER} refuses the message (status ${status})` };
}

export function answerFromError(thrown: unknown): FailureAnswer {
  if (NOT_OF_THE_INTERNET.includes(nodeError.safeParse(thrown).data?.code ?? '')) {
    return { kind: 'declined', code: DEVICE_GONE, message: 'the address of the push service is none of the internet' };
  }
  return unheard(answerFromTransport(thrown, PROVIDER));
}

function unheard<Answer extends FailureAnswer>(answer: Answer): Answer {
  return { ...answer, trouble: 'unheard' };
}

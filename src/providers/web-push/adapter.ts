/**
 * Web Push (RFC 8030): one call hands over one message to the push service of one browser, whose address the browser has
 * named. No key is taken and nothing can be asked for afterwards, so what ends `unknown` can only be sent again or given up;
 * while a browser is away, its push service keeps the last message of a topic alone.
 *
 * `send` resolves with an answer and never rejects.
 */
import type webPush from 'web-push';
import { GuardedAgent } from '../../platform/outbound/agents';
import type { AddressGuard } from '../../platform/outbound/addresses';
import { post } from '../../platform/outbound/post';
import { sha256 } from '../../platform/ids';
import { ABORTED_BEFORE, type PlainAnswer } from '../answer';
import { DEVICE_GONE, type PushCall, type PushMessage, type SentPush } from '../push-message';
import { answerFromError, answerFromReply } from './errors';

export interface WebPushOptions {
  /** By which push services know us (RFC 8292). */
  vapid: { publicKey: string; privateKey: string; subject: string };
  guard: AddressGuard;
  /** Certificates in PEM that are trusted beside the usual ones. */
  ca: string | undefined;
}

/** What `PushSubscription.toJSON()` of a browser says. */
export interface WebPushSubscription {
  endpoint: string;
  keys: { p256dh: string; auth: string };
}

export interface WebPushAdapter {
  send(subscription: WebPushSubscription, message: PushMessage, call: PushCall): Promise<PlainAnswer<SentPush>>;
}

/** How long a push service keeps a message for a browser that is away. */
const KEEP_SECONDS = 24 * 60 * 60;
/** RFC 8030, 5.4: at most 32 characters of base64url. */
const TOPIC_LENGTH = 32;
/** Only the status is of interest. */
const MAX_ANSWER_BYTES = 1_024;

export function createWebPushAdapter({ vapid, guard, ca }: WebPushOptions): WebPushAdapter {
  const agent = new GuardedAgent(guard, ca);
  return {
    async send({ endpoint, keys }, { title, body, data, tag }, { timeoutMs, signal }) {
      if (signal.aborted) return ABORTED_BEFORE;
      try {
        const url = new URL(endpoint);
        const request = encrypt({ endpoint: url.href, keys }, { title, body, data, tag }, vapid);
        if (!request) return UNUSABLE_KEYS;
        const answer = await post(url, { ...request, agent, timeoutMs, maxAnswerBytes: MAX_ANSWER_BYTES });
        return answerFromReply(answer, Date.now());
      } catch (error) {
        return answerFromError(error);
      }
    },
  };
}

/**
 * Only made by the library, and sent by us: it would read an answer of any length, for as long as that takes. Undefined when
 * nothing can be encrypted with the keys of the browser.
 */
function encrypt(
  subscription: WebPushSubscription,
  message: PushMessage,
  vapidDetails: WebPushOptions['vapid'],
): { headers: Record<string, string>; body: Buffer } | undefined {
  const { generateRequestDetails }: typeof webPush = require('web-push');
  const topic = sha256(message.tag).slice(0, TOPIC_LENGTH);
  try {
    const { headers, body } = generateRequestDetails(subscription, JSON.stringify(message), {
      vapidDetails,
      TTL: KEEP_SECONDS,
      topic,
      contentEncoding: 'aes128gcm',
    });
    return { headers: textsOf(headers), body };
  } catch {
    return undefined;
  }
}

const UNUSABLE_KEYS = {
  kind: 'declined',
  code: DEVICE_GONE,
  message: 'the keys of the browser cannot be used; nothing was sent',
  trouble: 'unheard',
} as const;

function textsOf(headers: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
}

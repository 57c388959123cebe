/** SendGrid's event webhook: batches, signed by a key of the stand-in's own as SendGrid signs them. */
import {
  createECDH,
  createHash,
  createPrivateKey,
  createPublicKey,
  randomBytes,
  sign,
  type KeyObject,
} from 'node:crypto';
import { keepPosting, type Webhook } from '../webhooks';
import type { SentMail } from './service';

/** What stand-ins in a process of their own sign with. Known to everybody. */
export const SANDBOX_SEED = 'sandbox';

/** The signing key of an endpoint. */
export class EventKey {
  readonly #privateKey: KeyObject;
  /** As SendGrid shows it. */
  readonly publicKey: string;

  /** @param seed the same key for the same one; another key each time without it */
  constructor(seed: string | Buffer = randomBytes(32)) {
    const curve = createECDH('prime256v1');
    const secret = createHash('sha256').update(seed).digest();
    curve.setPrivateKey(secret);
    // Uncompressed: a byte that says so, then both coordinates.
    const point = curve.getPublicKey();
    const coordinates = { x: encode(point.subarray(1, 33)), y: encode(point.subarray(33)) };
    const key = { kty: 'EC', crv: 'P-256', d: encode(secret), ...coordinates };
    this.#privateKey = createPrivateKey({ key, format: 'jwk' });
    const publicKey = createPublicKey(this.#privateKey);
    this.publicKey = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  }

  /** @param ageSeconds how long ago it is said to have been signed */
  sign(events: unknown, ageSeconds = 0): Webhook {
    const body = JSON.stringify(events);
    const timestamp = String(Math.floor(Date.now() / 1_000) - ageSeconds);
    const signature = sign('sha256', Buffer.from(timestamp + body), this.#privateKey).toString('base64');
    return {
      body,
      headers: {
        'content-type': 'application/json;charset=utf-8',
        'x-twilio-email-event-webhook-signature': signature,
        'x-twilio-email-event-webhook-timestamp': timestamp,
      },
    };
  }
}

function encode(bytes: Buffer): string {
  return bytes.toString('base64url');
}

/** An event about a mail that was taken, in SendGrid's names ("Event Webhook Reference"). */
export function mailEvent(
  event: string,
  { to, messageId, jobId, category }: Pick<SentMail, 'to' | 'messageId' | 'jobId' | 'category'>,
  over: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    email: to,
    timestamp: Math.floor(Date.now() / 1_000),
    event,
    category: category === undefined ? [] : [category],
    sg_event_id: randomBytes(16).toString('base64url'),
    sg_message_id: `${messageId}.filter0001.16648.5515E0B88.0`,
    'smtp-id': `<${messageId}@geopod-ismtpd-1>`,
    ...(jobId === undefined ? {} : { job_id: jobId }),
    ...over,
  };
}

/** Local parts of addresses, and what becomes of mails to them; every other one is delivered. */
const FATES: Readonly<Record<string, string[]>> = {
  bounces: ['bounce'],
  complains: ['delivered', 'spamreport'],
  unsubscribes: ['delivered', 'unsubscribe'],
};

/** Tells of mails that were taken, as SendGrid does some time later. */
export function reportMails(mails: SentMail[], { url, key }: { url: string; key: EventKey }): void {
  const events = mails.flatMap((mail) => {
    const fate = FATES[mail.to.split('@')[0] ?? ''] ?? ['delivered'];
    return ['processed', ...fate].map((event) => mailEvent(event, mail, event === 'bounce' ? { type: 'bounce' } : {}));
  });
  // In a provider's own order, which is none, and as often as it likes.
  void keepPosting(url, () => key.sign([...events.toReversed(), ...events]));
}

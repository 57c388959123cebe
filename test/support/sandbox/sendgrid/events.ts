/** SendGrid's event webhook: batches, signed by a key of the stand-in's own as SendGrid signs them. */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { randomBytes } from 'node:crypto';
import type { Webhook } from '../webhooks';
import type { SentMail } from './service';

/** The signing key of an endpoint. */
export class EventKey {
  readonly #privateKey: KeyObject;
  /** As SendGrid shows it. */
  readonly publicKey: string;

  constructor() {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#privateKey = pair.privateKey;
    this.publicKey = pair.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
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

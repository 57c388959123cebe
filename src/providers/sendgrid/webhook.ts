/**
 * SendGrid's event webhook: "Event Webhook Reference" and "Getting started with the Event Webhook Security Features"
 * (twilio.com/docs/sendgrid/for-developers/tracking-events). It comes in batches.
 */
import { verify, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { webhookProcess, type SendGridReport } from '../../catalogue/webhook-process';
import { parseJson } from '../../platform/parse-json';
import { addressDigest } from '../suppression-list';
import { asReport, opened, type OpenWebhook, type ReadEvent } from '../webhook';

const SIGNATURE = 'X-Twilio-Email-Event-Webhook-Signature';
const TIMESTAMP = 'X-Twilio-Email-Event-Webhook-Timestamp';

/**
 * SendGrid tries for 24 hours to deliver a batch, and does not say whether it signs it anew. Whoever repeats one within
 * that time achieves nothing: its events are known by their ids.
 */
const TOLERANCE_S = 25 * 60 * 60;
/** How far its clock may be ahead of ours. */
const CLOCK_SKEW_S = 300;

const mailEvent = z.object({
  event: z.string(),
  email: z.email(),
  timestamp: z.number().int(),
  sg_event_id: z.string().min(1),
  sg_message_id: z.string().min(1),
  /** Our own custom argument. */
  job_id: z.uuid().optional().catch(undefined),
  /** Of a bounce: `bounce` is for good, `blocked` may pass. */
  type: z.string().optional(),
  reason: z.string().optional(),
  status: z.string().optional(),
});
type MailEvent = z.infer<typeof mailEvent>;
const eventName = z.object({ event: z.string() });

type Meaning = Pick<SendGridReport, 'event' | 'suppress'>;

/** What each event says of its recipient; others, such as opened mails, are nobody's business here. */
const MEANINGS: Readonly<Record<string, (event: MailEvent) => Meaning>> = {
  delivered: () => ({ event: 'delivered' }),
  bounce: ({ type }) => (type === 'blocked' ? { event: 'blocked' } : { event: 'bounced', suppress: 'bounced' }),
  dropped: ({ reason }) => ({ event: 'dropped', ...suppressionOf(reason) }),
  spamreport: () => ({ event: 'reported_as_spam', suppress: 'reported_as_spam' }),
  unsubscribe: () => ({ event: 'unsubscribed', suppress: 'unsubscribed' }),
};

/** Why SendGrid itself sends nothing to an address any more, by its list of reasons of dropped mails. */
const DROPPED_SINCE: Readonly<Record<string, SendGridReport['suppress']>> = {
  'Bounced Address': 'bounced',
  'Spam Reporting Address': 'reported_as_spam',
  'Unsubscribed Address': 'unsubscribed',
};

/** OpenSSL looks at the bytes as they came; SendGrid's own helper makes text of them first. */
export function openSendGridWebhook(publicKey: KeyObject): OpenWebhook {
  return ({ body, header }) => {
    if (!isSigned(publicKey, body, header(TIMESTAMP), header(SIGNATURE))) return { kind: 'forged' };
    const json = parseJson(body);
    const events = 'value' in json ? z.array(z.unknown()).safeParse(json.value).data : undefined;
    return events ? opened(events.map(read)) : { kind: 'unreadable' };
  };
}

function isSigned(key: KeyObject, body: Buffer, timestamp: string | undefined, signature: string | undefined): boolean {
  if (timestamp === undefined || signature === undefined || !/^\d{1,12}$/.test(timestamp)) return false;
  const ageS = Date.now() / 1_000 - Number(timestamp);
  if (ageS > TOLERANCE_S || ageS < -CLOCK_SKEW_S) return false;
  return verify('sha256', Buffer.concat([Buffer.from(timestamp), body]), key, Buffer.from(signature, 'base64'));
}

/** Each for itself: what is wrong with one event keeps no other. */
function read(value: unknown): ReadEvent {
  const name = eventName.safeParse(value).data?.event ?? '';
  const meaning = Object.hasOwn(MEANINGS, name) ? MEANINGS[name] : undefined;
  if (!meaning) return name === '' ? 'unreadable' : 'ignored';
  const event = mailEvent.safeParse(value).data;
  if (!event) return 'unreadable';
  return asReport(webhookProcess.payload, {
    provider: 'sendgrid',
    eventId: event.sg_event_id,
    ...meaning(event),
    // What follows the first dot is of SendGrid's inner ways.
    objectId: event.sg_message_id.split('.')[0],
    ...(event.job_id === undefined ? {} : { jobId: event.job_id }),
    addressDigest: addressDigest(event.email),
    // Of SMTP, such as 5.1.1. The reason beside it quotes the recipient.
    ...(event.status !== undefined && /^\d\.\d{1,3}\.\d{1,3}$/.test(event.status) ? { code: event.status } : {}),
    occurredAt: new Date(event.timestamp * 1_000).toISOString(),
  });
}

function suppressionOf(reason: string | undefined): Pick<SendGridReport, 'suppress'> {
  const suppress = reason !== undefined && Object.hasOwn(DROPPED_SINCE, reason) ? DROPPED_SINCE[reason] : undefined;
  return suppress === undefined ? {} : { suppress };
}

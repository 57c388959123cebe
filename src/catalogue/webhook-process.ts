import { z } from 'zod';
import { timestamp } from '../contract/envelope';
import { defineJobType } from './job-type';

/** Printable, as it is a part of keys. */
const id = z
  .string()
  .max(200)
  .regex(/^[\x21-\x7e]+$/);
/** A provider's own word for why. */
const code = z
  .string()
  .max(100)
  .regex(/^[\x20-\x7e]+$/);

/** A report about an object of Stripe's. What became of the object is asked of Stripe: the report only says of which. */
const stripe = z.strictObject({
  provider: z.literal('stripe'),
  eventId: id,
  event: id,
  object: z.enum(['payment', 'refunded_payment', 'refund', 'dispute', 'transfer', 'payout']),
  objectId: id,
  /** The connected account that it belongs to. */
  accountId: id.optional(),
  occurredAt: timestamp,
});

/** What became of a mail for one recipient. SendGrid cannot be asked, and its events stand each for itself. */
const sendgrid = z.strictObject({
  provider: z.literal('sendgrid'),
  eventId: id,
  event: z.enum(['delivered', 'bounced', 'blocked', 'dropped', 'reported_as_spam', 'unsubscribed']),
  /** The message's. */
  objectId: id,
  jobId: z.uuid().optional(),
  /** SHA-256 of the recipient's address in small letters: who it is need not be known. */
  addressDigest: z.string().regex(/^[0-9a-f]{64}$/),
  /** Why nothing is to be sent to the address any more. */
  suppress: z.enum(['bounced', 'reported_as_spam', 'unsubscribed']).optional(),
  code: code.optional(),
  occurredAt: timestamp,
});

/** How a text message ended. Each of these states is the last of its message. */
const twilio = z.strictObject({
  provider: z.literal('twilio'),
  eventId: id,
  event: z.enum(['delivered', 'undelivered', 'failed']),
  /** The message's. */
  objectId: id,
  jobId: z.uuid().optional(),
  code: code.optional(),
});

const payload = z.discriminatedUnion('provider', [stripe, sendgrid, twilio]);

const result = z.strictObject({
  /** The job that the report is about. */
  jobId: z.uuid().nullable(),
  /** Domain events that were published because of it; those that an earlier report had told are not among them. */
  published: z.array(z.string()),
});

export type WebhookPayload = z.infer<typeof payload>;
export type StripeReport = z.infer<typeof stripe>;
export type SendGridReport = z.infer<typeof sendgrid>;
export type TwilioReport = z.infer<typeof twilio>;
export type StripeObject = StripeReport['object'];
export type WebhookResult = z.infer<typeof result>;

/** Takes in what a provider reports. Only the endpoints of providers ask for it, once the provider has proved itself. */
export const webhookProcess = defineJobType({
  name: 'webhook-process',
  queue: 'money',
  priority: 7,
  concurrency: 10,
  timeoutMs: 30_000,
  submittableBy: [],
  payload,
  result,
  defaultKey: ({ provider, eventId }) => `webhook-${provider}-${eventId}`,
});

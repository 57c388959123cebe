import { z } from 'zod';
import { uuidV5 } from '../platform/ids';
import { eventMessage } from './envelope';
import { EXCHANGES, SERVICE_SOURCE } from './names';

const payment = {
  provider: z.literal('stripe'),
  paymentIntentId: z.string(),
  /** The `transactionId` of the payment's result; null where the payment is none of ours. */
  transactionId: z.uuid().nullable(),
  /** Minor units of ISO 4217. */
  amount: z.int(),
  currency: z.string().meta({ examples: ['USD'] }),
};

const payout = {
  provider: z.literal('stripe'),
  payoutId: z.string(),
  /** The connected account that is paid out; null for the platform's own. */
  accountId: z.string().nullable(),
  transactionId: z.uuid().nullable(),
  amount: z.int(),
  currency: z.string().meta({ examples: ['USD'] }),
};

/** Whom a mail was for is told by a digest alone: SHA-256 of the address in small letters, in hexadecimal. */
const email = {
  provider: z.literal('sendgrid'),
  messageId: z.string(),
  /** The job that sent it; null where it is none of ours. */
  jobId: z.uuid().nullable(),
  addressDigest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .meta({ examples: ['8c87b489ce35cf2e2f39f80e282cb2e804932a56a213983eeeb428407d43b52d'] }),
  at: z.iso.datetime(),
};

/**
 * Domain events that this service publishes on `platform.events`, of what providers report: name = routing key, schema =
 * their `data`, which may grow.
 */
export const PUBLISHED_EVENTS = {
  'payment.succeeded': z.object({ ...payment, chargeId: z.string() }),
  'payment.failed': z.object({ ...payment, code: z.string().meta({ examples: ['card_declined'] }) }),
  /** `refunded`: all that was given back of it so far. */
  'payment.refunded': z.object({ ...payment, refunded: z.int(), isWhole: z.boolean() }),
  /** What had been given back has come back: the customer does not have it. */
  'payment.refund_failed': z.object({ ...payment, refundId: z.string(), code: z.string() }),
  /** `amount`: what the customer claims back. */
  'payment.disputed': z.object({ ...payment, disputeId: z.string(), reason: z.string(), status: z.string() }),
  'payout.paid': z.object(payout),
  'payout.failed': z.object({ ...payout, code: z.string().meta({ examples: ['account_closed'] }) }),
  'email.delivered': z.object(email),
  /** `isPermanent`: nothing is sent to the address any more. */
  'email.bounced': z.object({ ...email, isPermanent: z.boolean() }),
  /** SendGrid did not try to deliver it. */
  'email.dropped': z.object(email),
  'email.reported_as_spam': z.object(email),
  'email.unsubscribed': z.object(email),
} as const;

export type PublishedEventName = keyof typeof PUBLISHED_EVENTS;

export function isPublishedEventName(name: string): name is PublishedEventName {
  return Object.hasOwn(PUBLISHED_EVENTS, name);
}

/** Something that a provider's report says is true. */
export interface Announcement {
  name: PublishedEventName;
  /** The same for the same truth, however many reports tell it. */
  about: string;
  data: Record<string, unknown>;
}

/** An announcement whose data fit its event. */
export function announce<Name extends PublishedEventName>(
  name: Name,
  about: string,
  data: z.input<(typeof PUBLISHED_EVENTS)[Name]>,
): Announcement {
  return { name, about, data };
}

const NAMESPACE = uuidV5('6ba7b811-9dad-11d1-80b4-00c04fd430c8', EXCHANGES.domainEvents);

/** The id of an announcement's message, the same for the same truth. */
export function announcementId({ name, about }: Announcement): string {
  return uuidV5(NAMESPACE, `${name}:${about}`);
}

/** An announcement as a message. That nobody is bound for it is no reason to keep it. */
export function announcementMessage(announcement: Announcement, time: Date) {
  const { name, data } = announcement;
  return {
    exchange: EXCHANGES.domainEvents,
    routingKey: name,
    alsoTo: [],
    mandatory: false,
    ...eventMessage({
      id: announcementId(announcement),
      source: SERVICE_SOURCE,
      type: `com.tickettoken.${name}.v1`,
      time: time.toISOString(),
      correlationId: undefined,
      traceparent: undefined,
      data,
    }),
  };
}

import { z } from 'zod';
import { isTimeZone } from '../platform/dates';
import { timestamp } from './envelope';

/** Becomes part of an idempotency key. */
const id = z
  .string()
  .min(1)
  .max(60)
  .regex(/^[^\p{Cc}]+$/u, 'contains control characters');

const order = {
  orderId: id,
  userId: z.uuid(),
  venueId: z.uuid(),
  eventId: z.uuid(),
  /** Minor units. */
  amount: z.int(),
  currency: z.string().meta({ examples: ['USD'] }),
  paymentMethod: z.string(),
  provider: z.enum(['stripe', 'square']).optional(),
  email: z.email(),
  tickets: z
    .array(z.strictObject({ ticketId: id, seatId: id.optional() }))
    .min(1)
    .max(1_000),
};

/** People in one event: what is told to more of them is told in several events. */
const MAX_PEOPLE = 500;

/** Of everybody once: the same person is told the same once. */
function everybodyOnce<Person extends { userId: string }>(person: z.ZodType<Person>) {
  return z
    .array(person)
    .min(1)
    .max(MAX_PEOPLE)
    .refine((all) => new Set(all.map(({ userId }) => userId)).size === all.length, 'names somebody twice');
}

/** An event that people hold tickets for, as mails and messages tell of it. */
const occasion = {
  eventId: z.uuid(),
  eventName: z.string().meta({ examples: ['Zoo Night'] }),
  venueName: z.string().optional(),
  startsAt: timestamp,
  /** A name of the IANA time zone database: whose clocks show when it begins. */
  timeZone: z
    .string()
    .refine(isTimeZone, 'is not a time zone')
    .meta({ examples: ['Europe/Berlin'] }),
};

/** Domain events that this service understands: name = routing key on `platform.events`, schema = their `data`. */
export const DOMAIN_EVENTS = {
  'order.placed': z.strictObject(order),
  'order.paid': z.strictObject({
    ...order,
    /** The payment's: `transactionId` of its result. */
    transactionId: z.string().min(1).max(255),
    /** When it was paid, the same however often the event is told. Left out, the sale counts from when it is recorded. */
    paidAt: timestamp.optional(),
  }),
  'order.refund_requested': z.strictObject({
    orderId: id,
    /** One for each refund that is asked for: an order may be given back in parts. */
    refundRequestId: id,
    /** The payment's: `transactionId` of its result. */
    transactionId: z.uuid(),
    userId: z.uuid(),
    venueId: z.uuid(),
    /** Minor units. */
    amount: z.int(),
    reason: z.string().meta({ examples: ['requested_by_customer'] }),
    provider: z.enum(['stripe', 'square']).optional(),
  }),
  'order.refunded': z.strictObject({
    orderId: id,
    refundRequestId: id,
    transactionId: z.string(),
    /** The provider's, where it is known. */
    refundId: z.string().optional(),
    eventName: z.string().optional(),
    /** What went back, in minor units. */
    amount: z.int(),
    currency: z.string().meta({ examples: ['USD'] }),
    email: z.email(),
  }),
  'event.reminder_due': z.strictObject({
    ...occasion,
    reminderId: id,
    /** Of a reminder to more people than one event names: 1, 2 and so on. */
    part: z.int().positive().max(1_000_000).optional(),
    /** Where the venue is. */
    address: z.string().optional(),
    recipients: everybodyOnce(
      z.strictObject({
        userId: z.uuid(),
        name: z.string().optional(),
        /** How many tickets they hold. */
        tickets: z.int().positive().optional(),
        email: z.email().optional(),
        phone: z
          .e164()
          .meta({ examples: ['+15550100000'] })
          .optional(),
        /** By what they want to be reminded; by nothing else are they. */
        optedIn: z.array(z.enum(['email', 'sms'])),
      }),
    ),
  }),
  'event.cancelled': z.strictObject({
    ...occasion,
    reason: z.string().optional(),
    /** The money goes back without anybody asking for it. */
    refunded: z.boolean(),
    holders: everybodyOnce(z.strictObject({ userId: z.uuid(), email: z.email().optional() })),
  }),
  'venue.payout_due': z.strictObject({
    payoutRequestId: id,
    venueId: z.uuid(),
    /** Minor units. */
    amount: z.int(),
    currency: z.string().meta({ examples: ['USD'] }),
    /** The venue's own account at the provider. */
    accountId: z.string().meta({ examples: ['acct_1Pgaf2B7WZ01zgkW'] }),
    /** The bank account of that account, or the debit card for an instant payout. */
    bankAccountId: z.string().meta({ examples: ['ba_1Pgc79B7WZ01zgkWu1KToYf4'] }),
    type: z.enum(['instant', 'standard']),
    /** What the payout is for. */
    period: id.optional(),
  }),
  'user.activity': z.strictObject({
    activityId: id,
    eventType: z.string().meta({ examples: ['ticket.viewed'] }),
    userId: z.uuid(),
    venueId: z.uuid().optional(),
    eventId: z.uuid().optional(),
    data: z.record(z.string(), z.unknown()),
    /** When the user did it. */
    timestamp,
  }),
} as const;

export type DomainEventName = keyof typeof DOMAIN_EVENTS;
export type DomainEventData<Name extends DomainEventName> = z.infer<(typeof DOMAIN_EVENTS)[Name]>;

export function isDomainEventName(name: string): name is DomainEventName {
  return Object.hasOwn(DOMAIN_EVENTS, name);
}

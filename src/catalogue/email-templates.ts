/** What each mail must be told. All that a domain event may not tell can be left out. */
import { z } from 'zod';
import { timestamp } from '../contract/envelope';
import { isTimeZone } from '../platform/dates';
import { amount, currency } from './money';

/** One line of text from outside: no control characters and no line breaks, whatever Unicode calls them. */
export function line(maxLength: number) {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u, 'contains control characters');
}

const day = z.iso.date().meta({ examples: ['2026-01-15'] });

/** When an event begins, and whose clocks show it. */
const beginning = {
  startsAt: timestamp,
  /** A name of the IANA time zone database. */
  timeZone: z
    .string()
    .max(60)
    .refine(isTimeZone, 'is not a time zone')
    .meta({ examples: ['Europe/Berlin'] }),
};

/** The receipt of a paid order. */
export const orderReceipt = z.strictObject({
  orderId: line(60),
  /** The payment's. */
  transactionId: line(255),
  eventId: z.uuid(),
  eventName: line(200).optional(),
  venueName: line(200).optional(),
  amount,
  currency,
  tickets: z
    .array(z.strictObject({ ticketId: line(60), seatId: line(60).optional() }))
    .min(1)
    .max(1_000),
});

/** Money that went back to a customer. */
export const refundReceipt = z.strictObject({
  orderId: line(60),
  /** The payment's. */
  transactionId: line(255),
  /** The provider's, where it is known. */
  refundId: line(255).optional(),
  eventName: line(200).optional(),
  /** What went back, which may be a part of what was paid. */
  amount,
  currency,
});

/** What a reminder says to each of its recipients alone. */
export const reminderRecipient = {
  name: line(100).optional(),
  /** How many tickets they hold. */
  tickets: z.int().positive().max(1_000).optional(),
};

/** An event that is near. */
export const eventReminder = z.strictObject({
  eventId: z.uuid(),
  eventName: line(200),
  venueName: line(200).optional(),
  /** Where the venue is. */
  address: line(200).optional(),
  ...beginning,
});

/** An event that does not take place. */
export const eventCancelled = z.strictObject({
  eventId: z.uuid(),
  eventName: line(200),
  venueName: line(200).optional(),
  ...beginning,
  reason: line(500).optional(),
  /** The money goes back without anybody asking for it. */
  refunded: z.boolean(),
});

/** Money that is on its way to a venue. */
export const payoutSent = z.strictObject({
  /** The provider's. */
  payoutId: line(255),
  venueName: line(200).optional(),
  amount,
  currency,
  /** When the bank should show it. */
  arrivesOn: day.optional(),
});

/** A report that can be fetched. */
export const reportReady = z.strictObject({
  reportType: line(60),
  venueName: line(200).optional(),
  startDate: day,
  endDate: day,
  format: z.enum(['csv', 'json', 'pdf']),
  url: z.url({ protocol: /^https$/, error: 'is not a URL of https' }).max(2_000),
  /** Until when the link is good. */
  expiresAt: timestamp.optional(),
});

export type OrderReceipt = z.infer<typeof orderReceipt>;
export type RefundReceipt = z.infer<typeof refundReceipt>;
export type EventReminder = z.infer<typeof eventReminder>;
export type EventCancelled = z.infer<typeof eventCancelled>;
export type PayoutSent = z.infer<typeof payoutSent>;
export type ReportReady = z.infer<typeof reportReady>;

import { z } from 'zod';

/** One line of text from outside: no control characters and no line breaks, whatever Unicode calls them. */
export function line(maxLength: number) {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u, 'contains control characters');
}

/** The receipt of a paid order. All that `order.paid` does not tell may be left out. */
export const orderReceipt = z.strictObject({
  orderId: line(60),
  /** The payment's. */
  transactionId: line(255),
  eventId: z.uuid(),
  eventName: line(200).optional(),
  venueName: line(200).optional(),
  /** Minor units of ISO 4217 (cents; whole yen). */
  amount: z.int().positive().max(1_000_000),
  /** ISO 4217, in either case. */
  currency: z.string().regex(/^[A-Za-z]{3}$/, 'is not an ISO 4217 code'),
  tickets: z
    .array(z.strictObject({ ticketId: line(60), seatId: line(60).optional() }))
    .min(1)
    .max(1_000),
});
export type OrderReceipt = z.infer<typeof orderReceipt>;

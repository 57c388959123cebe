import { z } from 'zod';
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

import { randomUUID } from 'node:crypto';

/** A sound payload of `payment-process`; a good card unless told otherwise. */
export function payment(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    userId: randomUUID(),
    venueId: randomUUID(),
    eventId: randomUUID(),
    amount: 10_000,
    currency: 'USD',
    paymentMethod: 'pm_card_visa',
    ...over,
  };
}

/** Sound data of the domain event `order.placed`. */
export function order(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    orderId: randomUUID(),
    userId: randomUUID(),
    venueId: randomUUID(),
    eventId: randomUUID(),
    amount: 10_000,
    currency: 'USD',
    paymentMethod: 'pm_card_visa',
    email: 'guest@example.com',
    tickets: [{ ticketId: randomUUID(), seatId: 'A-1' }],
    ...over,
  };
}

/** Sound data of the domain event `user.activity`. */
export function activity(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    activityId: randomUUID(),
    eventType: 'ticket.viewed',
    userId: randomUUID(),
    venueId: randomUUID(),
    data: { source: 'search' },
    timestamp: '2026-01-15T10:00:00Z',
    ...over,
  };
}

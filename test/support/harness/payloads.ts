import { randomUUID } from 'node:crypto';
import type { DomainEventData } from '../../../src/contract/domain-events';

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

/** Sound data of the domain event `order.placed`, as the compiler knows it. */
export function placedOrder(over: Partial<DomainEventData<'order.placed'>> = {}): DomainEventData<'order.placed'> {
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

/** The same, with whatever a test puts into it. */
export function order(over: Record<string, unknown> = {}): Record<string, unknown> {
  return { ...placedOrder(), ...over };
}

/** Sound data of the domain event `order.paid`, each to another address. */
export function paidOrder(over: Partial<DomainEventData<'order.paid'>> = {}): DomainEventData<'order.paid'> {
  return { ...placedOrder({ email: `guest-${randomUUID()}@example.com` }), transactionId: randomUUID(), ...over };
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

const occasion = { eventName: 'Zoo Night', startsAt: '2026-01-16T18:30:00Z', timeZone: 'Europe/Berlin' };

/** Sound data of the domain event `event.cancelled`. */
export function cancelledEvent(over: Record<string, unknown> = {}): Record<string, unknown> {
  return { eventId: randomUUID(), ...occasion, refunded: true, holders: [{ userId: randomUUID() }], ...over };
}

/** Sound data of the domain event `event.reminder_due`. */
export function dueReminder(over: Record<string, unknown> = {}): Record<string, unknown> {
  const recipients = [{ userId: randomUUID(), email: 'jane@example.com', optedIn: ['email'] }];
  return { eventId: randomUUID(), ...occasion, reminderId: randomUUID(), recipients, ...over };
}

import type { DomainEventData } from '../../../src/client';
import type { SeededRandom } from './random';

/** What a customer has chosen: all that the event tells which says that it was placed. */
export type Order = DomainEventData<'order.placed'>;

const CURRENCIES = ['USD', 'USD', 'USD', 'EUR', 'GBP'] as const;

/** @param number makes the order's id unique in its sale */
export function makeOrder(random: SeededRandom, sale: string, number: number, paymentMethod: string): Order {
  const seats = random.integer(1, 4);
  const orderId = `${sale}-${String(number).padStart(4, '0')}`;
  return {
    orderId,
    userId: random.uuid(),
    venueId: random.uuid(),
    eventId: random.uuid(),
    amount: seats * 100 * random.integer(20, 180),
    currency: random.pick(CURRENCIES),
    paymentMethod,
    email: `guest-${orderId}@example.com`,
    tickets: Array.from({ length: seats }, (_, index) => ({
      ticketId: random.uuid(),
      seatId: `R${random.integer(1, 40)}-${index + 1}`,
    })),
  };
}

/** The charge of an order, asked for directly; the service makes the same of `order.placed`. */
export function paymentOf({ userId, venueId, eventId, amount, currency, paymentMethod }: Order) {
  return { userId, venueId, eventId, amount, currency, paymentMethod };
}

/** Requests about one order share it, whichever way they come. */
export function paymentKeyOf({ orderId }: Order): string {
  return `order-${orderId}-payment`;
}

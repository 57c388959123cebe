/** The order service's messages, as any service in any language would write them: nothing of ours is imported. */
import type { SeededRandom } from './random';

export const SOURCE = '/order-service';
const CONTENT_TYPE = 'application/cloudevents+json';

/** A message as it goes to the broker. */
export interface Message {
  exchange: 'jobs.requests' | 'platform.events';
  routingKey: string;
  messageId: string;
  contentType: string;
  body: string;
}

export interface Order {
  orderId: string;
  userId: string;
  venueId: string;
  eventId: string;
  amount: number;
  currency: string;
  paymentMethod: string;
  tickets: { ticketId: string; seatId: string }[];
}

const CURRENCIES = ['USD', 'USD', 'USD', 'EUR', 'GBP'] as const;

/** @param number makes the order's id unique in its sale */
export function makeOrder(random: SeededRandom, sale: string, number: number, paymentMethod: string): Order {
  const seats = random.integer(1, 4);
  return {
    orderId: `${sale}-${String(number).padStart(4, '0')}`,
    userId: random.uuid(),
    venueId: random.uuid(),
    eventId: random.uuid(),
    amount: seats * 100 * random.integer(20, 180),
    currency: random.pick(CURRENCIES),
    paymentMethod,
    tickets: Array.from({ length: seats }, (_, index) => ({
      ticketId: random.uuid(),
      seatId: `R${random.integer(1, 40)}-${index + 1}`,
    })),
  };
}

/** "An order was placed": the domain event that asks for the charge. */
export function orderPlaced(id: string, order: Order): Message {
  const { orderId } = order;
  const event = envelope(id, 'com.tickettoken.order.placed.v1', orderId, {
    ...order,
    email: `guest-${orderId}@example.com`,
  });
  return message('platform.events', 'order.placed', id, JSON.stringify(event));
}

/** The charge asked for directly, under the same key as that of the domain event. */
export function paymentRequest(id: string, order: Order): Message {
  const { orderId, userId, venueId, eventId, amount, currency, paymentMethod } = order;
  const event = envelope(id, 'com.tickettoken.job.requested.v1', orderId, {
    queue: 'money',
    type: 'payment-process',
    data: { userId, venueId, eventId, amount, currency, paymentMethod },
    idempotencyKey: `order-${orderId}-payment`,
  });
  return message('jobs.requests', 'money.payment-process', id, JSON.stringify(event));
}

/** The same message with another body or another way to go. */
export function altered(original: Message, change: Partial<Message>): Message {
  return { ...original, ...change };
}

/** A job request of any type and content. */
export function jobRequest(id: string, type: string, data: Record<string, unknown>): Message {
  const event = envelope(id, 'com.tickettoken.job.requested.v1', id, { type, data });
  return message('jobs.requests', `money.${type}`, id, JSON.stringify(event));
}

function envelope(id: string, type: string, correlationid: string, data: unknown) {
  return {
    specversion: '1.0',
    id,
    source: SOURCE,
    type,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    correlationid,
    data,
  };
}

function message(exchange: Message['exchange'], routingKey: string, messageId: string, body: string): Message {
  return { exchange, routingKey, messageId, contentType: CONTENT_TYPE, body };
}

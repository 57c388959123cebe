/** Messages as a program writes them by hand that knows the contract by hearsay: nothing checks them before they go. */
import { paymentKeyOf, paymentOf, type Order } from './orders';

const SOURCE = '/box-office';
const CONTENT_TYPE = 'application/cloudevents+json';

/** A message as it goes to the broker. */
export interface HandwrittenMessage {
  exchange: 'jobs.requests' | 'platform.events';
  routingKey: string;
  messageId: string;
  contentType: string;
  body: string;
}

export function orderPlaced(id: string, order: Order): HandwrittenMessage {
  const event = envelope(id, 'com.tickettoken.order.placed.v1', order);
  return message('platform.events', 'order.placed', id, JSON.stringify(event));
}

export function paymentRequest(id: string, order: Order): HandwrittenMessage {
  return jobRequest(id, 'payment-process', paymentOf(order), { idempotencyKey: paymentKeyOf(order) });
}

/** The same message with another body or another way to go. */
export function altered(original: HandwrittenMessage, change: Partial<HandwrittenMessage>): HandwrittenMessage {
  return { ...original, ...change };
}

/** A job request of any type and content. */
export function jobRequest(
  id: string,
  type: string,
  data: Record<string, unknown>,
  more: { idempotencyKey?: string } = {},
): HandwrittenMessage {
  const event = envelope(id, 'com.tickettoken.job.requested.v1', { type, data, ...more });
  return message('jobs.requests', `money.${type}`, id, JSON.stringify(event));
}

function envelope(id: string, type: string, data: unknown) {
  const time = new Date().toISOString();
  return { specversion: '1.0', id, source: SOURCE, type, time, datacontenttype: 'application/json', data };
}

function message(
  exchange: HandwrittenMessage['exchange'],
  routingKey: string,
  messageId: string,
  body: string,
): HandwrittenMessage {
  return { exchange, routingKey, messageId, contentType: CONTENT_TYPE, body };
}

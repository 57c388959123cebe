/** What bad programs send. The client package refuses to: a program writes these by hand. */
import { altered, jobRequest, orderPlaced, paymentRequest, type HandwrittenMessage } from './box-office-messages';
import { makeOrder } from './orders';
import type { HandwrittenRequest } from './plan';
import type { SeededRandom } from './random';
import type { Kind } from '../records';

/** @param sale begins the id of the order that they are about */
export function malformedRequests(random: SeededRandom, sale: string, card: string): HandwrittenRequest[] {
  const order = makeOrder(random, sale, 0, card);
  const id = (): string => random.uuid();
  const sound = () => paymentRequest(id(), order);
  const event = () => orderPlaced(id(), order);
  const cut = (message: HandwrittenMessage): HandwrittenMessage =>
    altered(message, { body: message.body.slice(0, -random.integer(2, 200)) });
  return [
    bad('not JSON', cut(sound()), 'UNREADABLE', '(body)'),
    bad('not JSON', altered(sound(), { body: `order ${id()}, please` }), 'UNREADABLE', '(body)'),
    bad('not JSON', cut(event()), 'UNREADABLE', '(body)'),
    bad('schema error', paymentRequest(id(), { ...order, amount: -1 }), 'INVALID_REQUEST', 'data.data.amount'),
    bad('schema error', jobRequest(id(), 'payment-process', {}), 'INVALID_REQUEST', 'data.data.userId'),
    bad('schema error', orderPlaced(id(), { ...order, tickets: [] }), 'INVALID_REQUEST', 'data.tickets'),
    bad('schema error', altered(sound(), { contentType: 'text/plain' }), 'UNREADABLE', '(content-type)'),
    bad('unknown type', jobRequest(id(), 'payment-proces', { orderId: order.orderId }), 'UNKNOWN_TYPE', 'data.type'),
    bad('unknown type', jobRequest(id(), 'ticket-upgrade', {}), 'UNKNOWN_TYPE', 'data.type'),
    bad(
      'wrong routing key',
      altered(sound(), { routingKey: 'background.payment-process' }),
      'WRONG_QUEUE',
      '(routing key)',
    ),
    bad('wrong routing key', altered(sound(), { routingKey: 'payments' }), 'WRONG_QUEUE', '(routing key)'),
  ];
}

function bad(kind: Kind, message: HandwrittenMessage, code: string, problemAt: string): HandwrittenRequest {
  const { messageId } = message;
  const requestId = kind === 'not JSON' ? null : messageId;
  return {
    by: 'box office',
    message,
    record: { messageId, requestId, kind, order: null, amount: 0, currency: 'USD', sale: null, code, problemAt },
  };
}

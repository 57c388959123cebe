import { randomUUID } from 'node:crypto';

/** What `order.paid` alone tells of an order: the least that a receipt can be made of. */
export function receipt(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    orderId: 'order-981',
    transactionId: '01933f6e-8c1a-7b3e-9d2f-5a6b7c8d9e0f',
    eventId: '5f0c6a34-55c6-4c6a-9a3e-0d6f6f3b8a11',
    amount: 10_000,
    currency: 'USD',
    tickets: [{ ticketId: 'ticket-1' }],
    ...over,
  };
}

/** A sound payload of `send-email`, each to another address. */
export function receiptEmail(over: Record<string, unknown> = {}): Record<string, unknown> {
  return { to: `guest-${randomUUID()}@example.com`, template: 'order-receipt', data: receipt(), ...over };
}

import { randomUUID } from 'node:crypto';

const EVENT_ID = '5f0c6a34-55c6-4c6a-9a3e-0d6f6f3b8a11';
const TRANSACTION_ID = '01933f6e-8c1a-7b3e-9d2f-5a6b7c8d9e0f';

/** What `order.paid` alone tells of an order: the least that a receipt can be made of. */
export function receipt(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    orderId: 'order-981',
    transactionId: TRANSACTION_ID,
    eventId: EVENT_ID,
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

const EVENT = { eventId: EVENT_ID, eventName: 'An Evening of Song' };
const BEGINNING = { startsAt: '2026-01-16T18:30:00Z', timeZone: 'Europe/Berlin' };
const MONEY = { amount: 12_345, currency: 'eur' };

/** Data for every template: the least that it can be made of, and what else it can say. */
export const SAMPLES = {
  'order-receipt': {
    least: receipt(),
    more: {
      ...MONEY,
      eventName: EVENT.eventName,
      venueName: 'The Old Hall',
      tickets: [{ ticketId: 'ticket-1', seatId: 'A-1' }, { ticketId: 'ticket-2' }],
    },
  },
  'refund-receipt': {
    least: { orderId: 'order-981', transactionId: TRANSACTION_ID, ...MONEY },
    more: { refundId: 're_981', eventName: EVENT.eventName },
  },
  'event-reminder': {
    least: { ...EVENT, ...BEGINNING },
    more: { venueName: 'The Old Hall', address: 'Market Square 1, Springfield' },
  },
  'event-cancelled': {
    least: { ...EVENT, ...BEGINNING, refunded: false },
    more: { venueName: 'The Old Hall', reason: 'The singer has lost her voice.', refunded: true },
  },
  'payout-sent': {
    least: { payoutId: 'po_981', ...MONEY },
    more: { venueName: 'The Old Hall', arrivesOn: '2026-01-20' },
  },
  'report-ready': {
    least: {
      reportType: 'Sales',
      startDate: '2026-01-01',
      endDate: '2026-01-31',
      format: 'pdf',
      url: 'https://reports.example.com/sales?month=1&year=2026',
    },
    more: { venueName: 'The Old Hall', expiresAt: '2026-02-08T10:00:00Z' },
  },
} as const;

export type SampleTemplate = keyof typeof SAMPLES;

/** A sound payload for a template with all that it can say. */
export function wholeEmail(template: SampleTemplate, over: Record<string, unknown> = {}): Record<string, unknown> {
  const { least, more } = SAMPLES[template];
  return { to: 'guest@example.com', template, data: { ...least, ...more }, ...over };
}

import { randomUUID } from 'node:crypto';
import { mapDomainEvent } from '../../../src/intake/domain-events';

const [transactionId, userId, venueId] = [randomUUID(), randomUUID(), randomUUID()];

const refundRequested = {
  orderId: 'o-1',
  refundRequestId: 'r-1',
  transactionId,
  userId,
  venueId,
  amount: 500,
  reason: 'requested_by_customer',
};
const refunded = {
  orderId: 'o-1',
  refundRequestId: 'r-1',
  transactionId,
  refundId: 're_1',
  amount: 500,
  currency: 'EUR',
  email: 'ada@example.com',
};
const payoutDue = {
  payoutRequestId: 'p-1',
  venueId,
  amount: 90_000,
  currency: 'EUR',
  accountId: 'acct_1Pgaf2B7WZ01zgkW',
  bankAccountId: 'ba_1Pgc79B7WZ01zgkWu1KToYf4',
  type: 'standard',
  period: '2026-01',
};

const map = (name: string, data: object) =>
  mapDomainEvent({ specversion: '1.0', id: 'event-1', source: '/orders', type: name, data: { ...data } }, name);

it.each([
  [
    'order.refund_requested',
    refundRequested,
    'refund-process',
    'order-o-1-refund-r-1',
    { transactionId, userId, venueId, amount: 500, reason: 'requested_by_customer' },
  ],
  [
    'order.refunded',
    refunded,
    'send-email',
    'order-o-1-refunded-r-1',
    {
      to: 'ada@example.com',
      template: 'refund-receipt',
      data: { orderId: 'o-1', transactionId, refundId: 're_1', amount: 500, currency: 'EUR' },
    },
  ],
  [
    'venue.payout_due',
    payoutDue,
    'payout-process',
    `venue-${venueId}-payout-p-1`,
    { ...payoutDue, payoutRequestId: undefined, requestId: 'p-1' },
  ],
])('%s asks for its job, under a key made of what was asked for', (name, event, type, key, data) => {
  const mapped = map(name, event);
  if (!('requests' in mapped)) throw new Error(JSON.stringify(mapped.problems));
  expect(mapped.requests).toHaveLength(1);
  expect(mapped.requests[0]).toMatchObject({ type: { name: type }, idempotencyKey: { callers: true, key } });
  expect(mapped.requests[0]?.data).toEqual(data);
});

it.each([
  ['order.refund_requested', { ...refundRequested, amount: 0, reason: '' }, ['data.amount', 'data.reason']],
  ['order.refunded', { ...refunded, amount: -1, email: 'ada', currency: 'euros' }, ['data.email']],
  ['order.refunded', { ...refunded, amount: -1, currency: 'euros' }, ['data.amount', 'data.currency']],
  ['venue.payout_due', { ...payoutDue, accountId: 'x', amount: 1.5 }, ['data.amount']],
  ['venue.payout_due', { ...payoutDue, accountId: 'x' }, ['data.accountId']],
])('%s with faults is refused, with the places in the event', (name, event, places) => {
  const mapped = map(name, event);
  if (!('problems' in mapped)) throw new Error('taken');
  expect(mapped.problems.map(({ path }) => path).toSorted()).toEqual(places);
});

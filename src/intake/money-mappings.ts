/** Money that goes back to a customer, or on to a venue. */
import type { DomainEventData } from '../contract/domain-events';
import type { MappedJob } from './mapped-job';

/** The amount is said by the event: what is left of a payment is the payment provider's to know. */
export function refundJob(data: DomainEventData<'order.refund_requested'>): MappedJob {
  const { orderId, refundRequestId, transactionId, userId, venueId, amount, reason, provider } = data;
  return {
    type: 'refund-process',
    idempotencyKey: `order-${orderId}-refund-${refundRequestId}`,
    data: { transactionId, userId, venueId, amount, reason, ...(provider === undefined ? {} : { provider }) },
  };
}

export function refundReceiptJob(data: DomainEventData<'order.refunded'>): MappedJob {
  const { refundRequestId, email, ...receipt } = data;
  return {
    type: 'send-email',
    idempotencyKey: `order-${receipt.orderId}-refunded-${refundRequestId}`,
    data: { to: email, template: 'refund-receipt', data: receipt },
    places: { 'data.to': 'data.email', 'data.data': 'data' },
  };
}

export function payoutJob({ payoutRequestId, ...payout }: DomainEventData<'venue.payout_due'>): MappedJob {
  return {
    type: 'payout-process',
    idempotencyKey: `venue-${payout.venueId}-payout-${payoutRequestId}`,
    data: { ...payout, requestId: payoutRequestId },
    places: { 'data.requestId': 'data.payoutRequestId' },
  };
}

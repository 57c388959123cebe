import type { OrderReceipt } from '../../catalogue/email-templates';
import { only, type MailContent } from './content';
import { formatMoney } from '../money';

/** The receipt of a paid order. Two of them do no harm; none does. */
export function orderReceiptContent(to: string, receipt: OrderReceipt): MailContent {
  const { eventName, venueName, amount, currency, tickets, ...ids } = receipt;
  return {
    policy: 'atLeastOnce',
    optional: false,
    subject: eventName === undefined ? `Your order ${receipt.orderId}` : `Your tickets for ${eventName}`,
    view: {
      ...ids,
      eventName: eventName ?? null,
      venueName: venueName ?? null,
      total: formatMoney(amount, currency),
      tickets: tickets.map(({ ticketId, seatId }) => ({ ticketId, seatId: seatId ?? null })),
    },
    recipients: only(to),
  };
}

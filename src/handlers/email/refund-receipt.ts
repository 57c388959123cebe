import type { RefundReceipt } from '../../catalogue/email-templates';
import { only, type MailContent } from './content';
import { formatMoney } from '../money';

/** The receipt of a refund. */
export function refundReceiptContent(to: string, receipt: RefundReceipt): MailContent {
  const { orderId, transactionId, refundId, eventName, amount, currency } = receipt;
  const total = formatMoney(amount, currency);
  return {
    policy: 'atLeastOnce',
    optional: false,
    subject: `Your refund of ${total} for order ${orderId}`,
    view: { orderId, transactionId, refundId: refundId ?? null, eventName: eventName ?? null, total },
    recipients: only(to),
  };
}

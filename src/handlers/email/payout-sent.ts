import type { PayoutSent } from '../../catalogue/email-templates';
import { only, type MailContent } from './content';
import { formatDay } from '../../platform/dates';
import { formatMoney } from '../money';

/** Money that is on its way to a venue. */
export function payoutSentContent(to: string, payout: PayoutSent): MailContent {
  const { payoutId, venueName, amount, currency, arrivesOn } = payout;
  const total = formatMoney(amount, currency);
  return {
    policy: 'atLeastOnce',
    optional: false,
    subject: `Your payout of ${total} is on its way`,
    view: {
      payoutId,
      venueName: venueName ?? null,
      total,
      arrives: arrivesOn === undefined ? null : formatDay(arrivesOn),
    },
    recipients: only(to),
  };
}

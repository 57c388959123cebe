import type { EventCancelled } from '../../catalogue/email-templates';
import { only, type MailContent } from './content';
import { formatMoment } from '../../platform/dates';

/** An event that does not take place: whoever holds a ticket must hear of it. */
export function eventCancelledContent(to: string, cancelled: EventCancelled): MailContent {
  const { eventName, venueName, startsAt, timeZone, reason, refunded } = cancelled;
  return {
    policy: 'atLeastOnce',
    optional: false,
    subject: `Cancelled: ${eventName}`,
    view: {
      eventName,
      venueName: venueName ?? null,
      begins: formatMoment(startsAt, timeZone),
      reason: reason ?? null,
      refunded,
    },
    recipients: only(to),
  };
}

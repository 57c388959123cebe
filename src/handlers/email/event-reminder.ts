import type { EventReminder } from '../../catalogue/email-templates';
import type { MailContent, MailRecipient } from './content';
import { formatMoment } from '../../platform/dates';

/** Whom a reminder goes to, and what it may say to them alone. */
export interface Reminded {
  to: string;
  name?: string | undefined;
  tickets?: number | undefined;
}

/** A reminder of an event. Two of them are a nuisance; without one somebody may miss what they paid for. */
export function eventReminderContent(reminded: Reminded[], reminder: EventReminder): MailContent {
  const { eventName, venueName, address, startsAt, timeZone } = reminder;
  return {
    policy: 'atLeastOnce',
    optional: true,
    subject: `Soon: ${eventName}`,
    view: {
      eventName,
      venueName: venueName ?? null,
      address: address ?? null,
      begins: formatMoment(startsAt, timeZone),
    },
    recipients: reminded.map(personalise),
  };
}

function personalise({ to, name, tickets = 1 }: Reminded): MailRecipient {
  const greeting = name === undefined ? 'Hello,' : `Hello ${name},`;
  const advice = tickets === 1 ? 'Please have your ticket at hand.' : `Please have your ${tickets} tickets at hand.`;
  return { to, personal: { greeting, advice } };
}

/** What the people who hold tickets are told when something about their event has come up. */
import type { DomainEventData } from '../contract/domain-events';
import { formatMoment } from '../platform/dates';
import type { MappedJob } from './mapped-job';

type Cancelled = DomainEventData<'event.cancelled'>;
type ReminderDue = DomainEventData<'event.reminder_due'>;

/** All notifications first: an index is part of a job's identity, and whoever has an address may be told to have none. */
export function cancellationJobs({ holders, ...event }: Cancelled): MappedJob[] {
  const { eventId, eventName, refunded } = event;
  const pushes = holders.map(({ userId }): MappedJob => {
    const next = refunded ? 'Your money comes back by itself.' : 'See in the app what you can do.';
    return {
      type: 'send-push',
      idempotencyKey: `event-${eventId}-cancelled-push-${userId}`,
      data: {
        userId,
        title: 'Event cancelled',
        body: `${eventName} does not take place. ${next}`,
        data: { eventId, kind: 'event-cancelled' },
      },
      places: { 'data.body': 'data.eventName', 'data.data': 'data' },
    };
  });
  const mails = holders.flatMap(({ userId, email }, index): MappedJob[] =>
    email === undefined
      ? []
      : [
          {
            type: 'send-email',
            idempotencyKey: `event-${eventId}-cancelled-email-${userId}`,
            data: { to: email, template: 'event-cancelled', data: event },
            places: { 'data.to': `data.holders.${index}.email`, 'data.data': 'data' },
          },
        ],
  );
  return [...pushes, ...mails];
}

/** One mail for all who want it, which greets each by name, and a text message for each who wants that. */
export function reminderJobs({ reminderId, part = 1, recipients, ...event }: ReminderDue): MappedJob[] {
  const readers = readersAmong(recipients);
  const mail: MappedJob = {
    type: 'send-email',
    idempotencyKey: `reminder-${reminderId}-email-${part}`,
    data: { recipients: readers.map(({ reader }) => reader), template: 'event-reminder', data: event },
    places: {
      ...Object.fromEntries(readers.flatMap(({ index }, position) => placesOfReader(position, index))),
      'data.data': 'data',
    },
  };
  return [...(readers.length > 0 ? [mail] : []), ...textsTo(recipients, { ...event, reminderId })];
}

function textsTo(
  recipients: ReminderDue['recipients'],
  { reminderId, eventName, venueName, startsAt, timeZone }: Omit<ReminderDue, 'recipients' | 'part'>,
): MappedJob[] {
  const where = venueName === undefined ? '' : ` at ${venueName}`;
  const begins = formatMoment(startsAt, timeZone);
  const message = `Soon: ${eventName}${where}, ${begins}. Please have your tickets at hand.`;
  return recipients.flatMap(({ userId, phone, optedIn }, index): MappedJob[] =>
    phone === undefined || !optedIn.includes('sms')
      ? []
      : [
          {
            type: 'send-sms',
            idempotencyKey: `reminder-${reminderId}-sms-${userId}`,
            data: { to: phone, template: 'reminder', message },
            places: { 'data.to': `data.recipients.${index}.phone`, 'data.message': 'data.eventName' },
          },
        ],
  );
}

interface Reader {
  to: string;
  name?: string;
  tickets?: number;
}

/** Who wants mails, and where the event has them; each address once, in whatever case it is written. */
function readersAmong(recipients: ReminderDue['recipients']): { index: number; reader: Reader }[] {
  const readers = new Map<string, { index: number; reader: Reader }>();
  for (const [index, { email, name, tickets, optedIn }] of recipients.entries()) {
    if (email === undefined || !optedIn.includes('email') || readers.has(email.toLowerCase())) continue;
    const words = { ...(name === undefined ? {} : { name }), ...(tickets === undefined ? {} : { tickets }) };
    readers.set(email.toLowerCase(), { index, reader: { to: email, ...words } });
  }
  return [...readers.values()];
}

function placesOfReader(position: number, index: number): [string, string][] {
  return [
    [`data.recipients.${position}.to`, `data.recipients.${index}.email`],
    [`data.recipients.${position}`, `data.recipients.${index}`],
  ];
}

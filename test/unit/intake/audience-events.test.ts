import { randomUUID } from 'node:crypto';
import { mapDomainEvent, type Mapped } from '../../../src/intake/domain-events';
import { cancelledEvent, dueReminder } from '../../support/harness/payloads';

function map(name: string, data: Record<string, unknown>, id = 'event-1'): Mapped {
  const envelope = { specversion: '1.0' as const, id, source: '/events', type: name };
  // What tests put together is JSON.
  return mapDomainEvent({ ...envelope, data: JSON.parse(JSON.stringify(data)) }, name);
}

const requestsOf = (mapped: Mapped) => {
  if (!('requests' in mapped)) throw new Error(JSON.stringify(mapped.problems));
  return mapped.requests;
};
const jobsOf = (mapped: Mapped) =>
  requestsOf(mapped).map(({ type, idempotencyKey, data }) => ({ type: type.name, key: idempotencyKey?.key, data }));
const placesOf = (mapped: Mapped) =>
  'problems' in mapped ? [...new Set(mapped.problems.map(({ path }) => path))].toSorted() : [];

const [ada, bob] = [randomUUID(), randomUUID()];

describe('event.cancelled', () => {
  const eventId = randomUUID();
  const holders = [{ userId: ada, email: 'ada@example.com' }, { userId: bob }];

  it('is a notification for each holder, and a mail for each that has an address', () => {
    const data = cancelledEvent({ eventId, holders, venueName: 'Zoo', reason: 'Rain' });
    const { holders: _, ...event } = data;
    const pushed = {
      title: 'Event cancelled',
      body: expect.stringContaining('Zoo Night'),
      data: { eventId, kind: 'event-cancelled' },
    };
    expect(jobsOf(map('event.cancelled', data))).toEqual([
      { type: 'send-push', key: `event-${eventId}-cancelled-push-${ada}`, data: { userId: ada, ...pushed } },
      { type: 'send-push', key: `event-${eventId}-cancelled-push-${bob}`, data: { userId: bob, ...pushed } },
      {
        type: 'send-email',
        key: `event-${eventId}-cancelled-email-${ada}`,
        data: { to: 'ada@example.com', template: 'event-cancelled', data: event },
      },
    ]);
  });

  it('says whether the money comes back by itself', () => {
    const bodies = [true, false].map((refunded) =>
      JSON.stringify(jobsOf(map('event.cancelled', cancelledEvent({ refunded })))[0]),
    );
    expect(bodies[0]).toContain('comes back by itself');
    expect(bodies[1]).not.toContain('comes back by itself');
  });

  it('gives each of its jobs an identity, and the same keys when it is told in another event', () => {
    const data = cancelledEvent({ holders });
    const [one, other] = ['a', 'b'].map((id) => requestsOf(map('event.cancelled', data, id)));
    expect(new Set([...(one ?? []), ...(other ?? [])].map(({ requestKey }) => requestKey)).size).toBe(6);
    expect(one?.map(({ idempotencyKey }) => idempotencyKey)).toEqual(
      other?.map(({ idempotencyKey }) => idempotencyKey),
    );
  });

  it('with faults is refused as a whole, with the places in the event', () => {
    const bad = `${'a'.repeat(250)}@example.com`;
    const faulty = cancelledEvent({ eventName: '', holders: [{ userId: ada }, { userId: bob, email: bad }] });
    expect(placesOf(map('event.cancelled', faulty))).toEqual(['data.eventName', 'data.holders.1.email']);
    expect(placesOf(map('event.cancelled', cancelledEvent({ holders: [{ userId: ada }, { userId: ada }] })))).toEqual([
      'data.holders',
    ]);
    const many = cancelledEvent({
      eventName: 'x'.repeat(201),
      holders: [...holders, { userId: randomUUID(), email: 'c@example.com' }],
    });
    expect(map('event.cancelled', many)).toMatchObject({ problems: [{ path: 'data.eventName' }] });
    expect(placesOf(map('event.cancelled', cancelledEvent({ holders: [], timeZone: 'Moon' })))).toEqual([
      'data.holders',
      'data.timeZone',
    ]);
  });
});

describe('event.reminder_due', () => {
  const reminderId = 'r-1';
  const both = {
    userId: ada,
    name: 'Ada',
    tickets: 2,
    email: 'ada@example.com',
    phone: '+15550100000',
    optedIn: ['email', 'sms'],
  };

  it('is one mail that greets each, and a text message for each, of those who want them', () => {
    const recipients = [
      both,
      { userId: bob, email: 'bob@example.com', phone: '+15550100001', optedIn: [] },
      { userId: randomUUID(), email: 'ADA@example.com', optedIn: ['email'] },
      { userId: randomUUID(), optedIn: ['email', 'sms'] },
    ];
    const data = dueReminder({ reminderId, recipients, venueName: 'Zoo', address: 'Gate 4' });
    const { reminderId: _, recipients: __, ...event } = data;
    expect(jobsOf(map('event.reminder_due', data))).toEqual([
      {
        type: 'send-email',
        key: 'reminder-r-1-email-1',
        data: {
          recipients: [{ to: 'ada@example.com', name: 'Ada', tickets: 2 }],
          template: 'event-reminder',
          data: event,
        },
      },
      {
        type: 'send-sms',
        key: `reminder-r-1-sms-${ada}`,
        data: {
          to: '+15550100000',
          template: 'reminder',
          message:
            'Soon: Zoo Night at Zoo, Friday, January 16, 2026 at 7:30 PM GMT+1. Please have your tickets at hand.',
        },
      },
    ]);
  });

  it('in another part is another mail', () => {
    expect(jobsOf(map('event.reminder_due', dueReminder({ reminderId, part: 2 })))[0]?.key).toBe(
      'reminder-r-1-email-2',
    );
  });

  it('that nobody wants asks for nothing', () => {
    expect(jobsOf(map('event.reminder_due', dueReminder({ recipients: [{ ...both, optedIn: [] }] })))).toEqual([]);
  });

  it('with faults is refused, with the places in the event', () => {
    const unasked = { userId: bob, email: 'bob@example.com', optedIn: [] };
    const faulty = dueReminder({ eventName: 'a\nb', recipients: [unasked, { ...both, name: '' }] });
    expect(placesOf(map('event.reminder_due', faulty))).toEqual(['data.eventName', 'data.recipients.1.name']);
  });
});

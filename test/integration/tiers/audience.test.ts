/** One event, many people: each is told what was meant for them, once. */
import { randomUUID } from 'node:crypto';
import { eventually, openHarness, type Harness } from '../../support/harness';
import { cancelledEvent, dueReminder } from '../../support/harness/payloads';
import { quick } from '../../support/money';
import { phone, userWith } from '../../support/notifications';
import { startFcmSandbox, type FcmSandbox } from '../../support/sandbox/fcm/sandbox';
import { fcmVariables } from '../../support/sandbox/fcm/sending';
import { startSendGridSandbox, type SendGridSandbox } from '../../support/sandbox/sendgrid/sandbox';
import { API_KEY } from '../../support/sandbox/sendgrid/sending';

let harness: Harness;
let fcm: FcmSandbox;
let sendgrid: SendGridSandbox;

beforeAll(async () => {
  [fcm, sendgrid, harness] = await Promise.all([startFcmSandbox(), startSendGridSandbox(), openHarness()]);
  await harness.startService({}, quick, {
    ...fcmVariables(fcm.url),
    SENDGRID_API_KEY: API_KEY,
    SENDGRID_API_BASE: sendgrid.url,
    EMAIL_FROM: 'tickets@example.com',
  });
});
afterAll(async () => {
  await harness?.close();
  await Promise.all([fcm?.close(), sendgrid?.close()]);
});

/** Outcomes of one event's jobs, by type and end. */
async function endsOf(requestId: string, jobs: number): Promise<string[]> {
  const outcomes = await eventually(`${jobs} outcomes`, () => {
    const found = harness.bus.outcomesOf(requestId);
    return found.length === jobs && found;
  });
  return outcomes.map(({ data }) => `${data.type} ${data.outcome} ${data.error?.code ?? ''}`.trim()).toSorted();
}

it('a cancelled event reaches every holder, by what there is to reach them', async () => {
  const userId = await userWith(harness.environment.variables['DATABASE_URL'] ?? '', [phone('one')]);
  const holders = [
    { userId, email: 'ada@example.com' },
    { userId: randomUUID(), email: 'bob@example.com' },
    { userId: randomUUID() },
  ];
  const event = cancelledEvent({ holders });
  const id = await harness.bus.event('event.cancelled', event);

  expect(await endsOf(id, 5)).toEqual([
    'send-email completed',
    'send-email completed',
    'send-push completed',
    'send-push failed NO_DEVICE',
    'send-push failed NO_DEVICE',
  ]);
  expect(fcm.ledger()).toMatchObject([{ token: 'one', title: 'Event cancelled' }]);
  expect(sendgrid.ledger().map(({ to, category }) => `${to} ${category}`)).toEqual(
    expect.arrayContaining(['ada@example.com event-cancelled', 'bob@example.com event-cancelled']),
  );

  // Told again, nobody who has heard of it hears of it once more.
  const again = await endsOf(await harness.bus.event('event.cancelled', event), 5);
  expect(again.filter((end) => end.endsWith('duplicate'))).toHaveLength(3);
  expect([fcm.ledger().length, sendgrid.ledger().length]).toEqual([1, 2]);
});

it('as many people as an event may name are one event', async () => {
  const holders = Array.from({ length: 500 }, () => ({ userId: randomUUID() }));
  const id = await harness.bus.event('event.cancelled', cancelledEvent({ holders }));

  expect(new Set(await endsOf(id, 500))).toEqual(new Set(['send-push failed NO_DEVICE']));
});

it('a reminder that nobody wants is taken, and is nothing', async () => {
  const recipients = [{ userId: randomUUID(), email: 'nobody@example.com', optedIn: [] }];
  const id = await harness.bus.event('event.reminder_due', dueReminder({ recipients }));
  const next = await harness.bus.event('event.reminder_due', dueReminder());

  expect(await endsOf(next, 1)).toEqual(['send-email completed']);
  expect(harness.bus.outcomesOf(id)).toEqual([]);
  expect(sendgrid.ledger().filter(({ to }) => to === 'nobody@example.com')).toEqual([]);
});

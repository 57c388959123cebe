import { randomUUID } from 'node:crypto';
import { eventually, openHarness, paidOrder, type Harness, type ReceivedOutcome } from '../../support/harness';
import { quick } from '../../support/money';
import { startSendGridSandbox, type SendGridSandbox } from '../../support/sandbox/sendgrid/sandbox';
import { API_KEY } from '../../support/sandbox/sendgrid/sending';

let harness: Harness;
let sendgrid: SendGridSandbox;

beforeEach(async () => {
  sendgrid = await startSendGridSandbox();
  harness = await openHarness();
});
afterEach(async () => {
  await harness?.close();
  await sendgrid?.close();
});

const startWithMail = () => {
  const mail = { SENDGRID_API_KEY: API_KEY, SENDGRID_API_BASE: sendgrid.url, EMAIL_FROM: 'tickets@example.com' };
  return harness.startService({}, quick, mail);
};

/** Both outcomes of one event: of the receipt and of the record. */
async function outcomesOf(requestId: string): Promise<Record<string, ReceivedOutcome['data']>> {
  const outcomes = await eventually(`both outcomes of ${requestId}`, () => {
    const found = harness.bus.outcomesOf(requestId);
    return found.length === 2 ? found : undefined;
  });
  return Object.fromEntries(outcomes.map(({ data }) => [data.type, data]));
}

async function recorded(): Promise<unknown[]> {
  const { rows } = await harness.environment.pool.query(
    `SELECT id, event_type, venue_id, occurred_at, amount::int FROM analytics_events`,
  );
  return rows;
}

it('a paid order is a receipt and a record, and told again it is neither a second time', async () => {
  await startWithMail();
  const order = paidOrder({ email: 'jane@example.com', paidAt: '2026-01-15T10:00:00Z' });
  const id = await harness.bus.event('order.paid', order);
  const first = await outcomesOf(id);
  expect(first).toMatchObject({
    'send-email': { outcome: 'completed', queue: 'communication' },
    'analytics-track': { outcome: 'completed', queue: 'background' },
  });
  const jobs = { mail: first['send-email']?.jobId, record: first['analytics-track']?.jobId };

  // The same event, as after a lost confirm; another one about the same order.
  await harness.bus.event('order.paid', order, id);
  const again = await outcomesOf(await harness.bus.event('order.paid', order));
  expect(again).toMatchObject({
    'send-email': { outcome: 'duplicate', jobId: jobs.mail },
    'analytics-track': { outcome: 'duplicate', jobId: jobs.record },
  });
  expect(harness.bus.outcomesOf(id)).toHaveLength(2);
  expect(sendgrid.ledger()).toMatchObject([{ jobId: jobs.mail, to: 'jane@example.com', category: 'order-receipt' }]);
  expect(sendgrid.ledger()[0]?.text).toContain(order.orderId);
  expect(await recorded()).toEqual([
    {
      id: jobs.record,
      event_type: 'order.paid',
      venue_id: order.venueId,
      occurred_at: new Date('2026-01-15T10:00:00Z'),
      amount: order.amount,
    },
  ]);
});

it('a sale that says no time is one sale, whenever it is told', async () => {
  await startWithMail();
  const order = paidOrder();
  const id = randomUUID();
  await harness.bus.event('order.paid', order, id);
  await outcomesOf(id);
  // Another time in the envelope under the same id.
  await harness.bus.event('order.paid', order, id);
  await outcomesOf(await harness.bus.event('order.paid', order));
  expect(harness.bus.outcomes.map(({ data }) => data.outcome).toSorted()).toEqual([
    'completed',
    'completed',
    'duplicate',
    'duplicate',
  ]);
  expect(await recorded()).toMatchObject([{ occurred_at: expect.any(Date) }]);
});

it('what cannot be mailed is refused with its reason, and recorded all the same', async () => {
  await harness.startService({}, quick);
  const order = paidOrder();
  const outcomes = await outcomesOf(await harness.bus.event('order.paid', order));
  expect(outcomes).toMatchObject({
    'send-email': { outcome: 'rejected', error: { code: 'TYPE_UNAVAILABLE' } },
    'analytics-track': { outcome: 'completed' },
  });
  expect(await recorded()).toMatchObject([{ venue_id: order.venueId }]);
});

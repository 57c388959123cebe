import { randomUUID } from 'node:crypto';
import { openHarness, type Harness } from '../../support/harness';

let harness: Harness;

beforeAll(async () => {
  harness = await openHarness();
  await harness.startService();
});
afterAll(() => harness?.close());

it('an analytics request becomes one event and is counted once, however often it is asked for', async () => {
  const venueId = randomUUID();
  const data = { eventType: 'order.paid', venueId, data: { amount: 4_200 }, timestamp: '2026-01-15T10:00:00Z' };
  const id = await harness.bus.request({ type: 'analytics-track', data });
  const { data: outcome } = await harness.bus.outcomeOf(id, 'completed');
  expect(outcome).toMatchObject({ queue: 'background', attempts: 1, result: { eventType: 'order.paid' } });

  const again = await harness.bus.request({ type: 'analytics-track', data });
  expect((await harness.bus.outcomeOf(again, 'duplicate')).data.jobId).toBe(outcome.jobId);
  const { rows: events } = await harness.environment.pool.query('SELECT id FROM analytics_events');
  expect(events).toEqual([{ id: outcome.jobId }]);
  const { rows: counted } = await harness.environment.pool.query(
    `SELECT events::int, amount_sum::int FROM analytics_rollups WHERE granularity = 'day'`,
  );
  expect(counted).toEqual([{ events: 1, amount_sum: 4_200 }]);
});

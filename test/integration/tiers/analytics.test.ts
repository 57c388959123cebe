import { randomUUID } from 'node:crypto';
import { activity, openHarness, type Harness } from '../../support/harness';

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

it('what a user did is recorded when the domain event tells of it, once however often it tells', async () => {
  const visited = activity({ eventType: 'venue.visited' });
  const id = await harness.bus.event('user.activity', visited);
  const { data: outcome } = await harness.bus.outcomeOf(id, 'completed');
  const again = await harness.bus.event('user.activity', visited);
  expect((await harness.bus.outcomeOf(again, 'duplicate')).data.jobId).toBe(outcome.jobId);
  const { rows } = await harness.environment.pool.query(
    `SELECT id, user_id, properties FROM analytics_events WHERE event_type = 'venue.visited'`,
  );
  expect(rows).toEqual([{ id: outcome.jobId, user_id: visited['userId'], properties: visited['data'] }]);
});

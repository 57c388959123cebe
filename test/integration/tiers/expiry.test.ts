import { randomUUID } from 'node:crypto';
import { deleteExpired } from '../../../src/jobs/finished';
import type { Database } from '../../../src/platform/postgres/database';
import { eventually, openHarness, type Harness } from '../../support/harness';
import { openDatabase } from '../../support/records';

let harness: Harness;
let database: Database;

beforeAll(async () => {
  harness = await openHarness();
  database = openDatabase(harness.environment.variables['DATABASE_URL'] ?? '');
  await harness.startService();
});
afterAll(async () => {
  await database?.close();
  await harness?.close();
});

it('a key is held until it expires; then its job is forgotten with its followers, and the key is free', async () => {
  const parts = { type: 'canary-communication', data: { n: 1 }, idempotencyKey: randomUUID() };
  const first = await harness.bus.outcomeOf(await harness.bus.request(parts), 'completed');
  const duplicate = await harness.bus.outcomeOf(await harness.bus.request(parts), 'duplicate');
  expect(duplicate.data.jobId).toBe(first.data.jobId);
  expect(await deleteExpired(database, 10)).toBe(0);

  await harness.environment.pool.query(`UPDATE idempotency_keys SET expires_at = now() - interval '1 second'`);
  // The service's own clean-up may be as quick.
  await deleteExpired(database, 10);
  const left = () =>
    harness.environment.pool.query('SELECT job_id FROM job_followers UNION SELECT job_id FROM idempotency_keys');
  await eventually('nothing is left', async () => (await left()).rowCount === 0);
  const second = await harness.bus.outcomeOf(await harness.bus.request(parts), 'completed');
  expect(second.data.jobId).not.toBe(first.data.jobId);
});

/** What is kept of reports is forgotten in small batches, oldest or not, and nothing that is younger. */
import { randomUUID } from 'node:crypto';
import { deleteAnnouncements, deleteReports, keepReport, takeUnannounced } from '../../../src/jobs/provider-reports';
import type { Database } from '../../../src/platform/postgres/database';
import { openHarness, type Harness } from '../../support/harness';
import { openDatabase } from '../../support/records';
import { WebhookRows } from '../../support/webhooks';

const DAY_MS = 24 * 60 * 60 * 1_000;

let harness: Harness;
let database: Database;

beforeAll(async () => {
  harness = await openHarness();
  database = openDatabase(harness.environment.variables['DATABASE_URL'] ?? '');
});
afterAll(async () => {
  await database?.close();
  await harness?.close();
});

const report = (eventId: string) => ({
  provider: 'stripe',
  eventId,
  event: 'payout.paid',
  objectId: 'po_1',
  jobId: undefined,
  code: undefined,
  occurredAt: undefined,
});

it('reports and announcements of more than 90 days are forgotten, so many at once', async () => {
  const [young, ...old] = [1, 2, 3, 4].map((number) => `evt_${number}`);
  const [fresh = '', ...told] = [1, 2, 3].map(() => randomUUID());
  await database.transaction(async (tx) => {
    for (const id of [young, ...old]) await keepReport(tx, report(id ?? ''), randomUUID());
    await takeUnannounced(tx, [fresh, ...told]);
  });
  const { pool } = harness.environment;
  await pool.query(
    `UPDATE provider_webhook_events SET received_at = now() - interval '91 days' WHERE event_id <> 'evt_1'`,
  );
  await pool.query(`UPDATE provider_announcements SET announced_at = now() - interval '91 days' WHERE id <> $1`, [
    fresh,
  ]);
  const before = new Date(Date.now() - 90 * DAY_MS);

  expect([await deleteReports(database, before, 2), await deleteReports(database, before, 2)]).toEqual([2, 1]);
  expect([await deleteAnnouncements(database, before, 5), await deleteAnnouncements(database, before, 5)]).toEqual([
    2, 0,
  ]);

  expect(await new WebhookRows(pool).kept('evt_1')).toHaveLength(1);
  // What was forgotten may be told again; what was not may not.
  const again = await database.transaction((tx) => takeUnannounced(tx, [fresh, ...told]));
  expect(again).toEqual(new Set(told));
});

import { z } from 'zod';
import { deletePublishedStrays, dropPublishedPartitions, ensurePartitions } from '../../../src/outbox/partitions';
import { readUnpublished } from '../../../src/outbox/rows';
import { uuidV7 } from '../../../src/platform/ids';
import type { Database } from '../../../src/platform/postgres/database';
import { eventually, openHarness, type Harness } from '../../support/harness';
import { openDatabase } from '../../support/records';
import { message, write } from '../../support/relayed';

const DAY_MS = 24 * 60 * 60 * 1_000;
const names = z.array(z.object({ name: z.string() }));

let harness: Harness;
let database: Database;

beforeEach(async () => {
  harness = await openHarness();
  database = openDatabase(harness.environment.variables['DATABASE_URL'] ?? '');
});
afterEach(async () => {
  await database?.close();
  await harness?.close();
});

async function partitions(): Promise<string[]> {
  const { rows } = await harness.environment.pool.query(
    `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'outbox_events'::regclass ORDER BY 1`,
  );
  return names.parse(rows).map(({ name }) => name);
}

/** A message that was written on that day, in the state that `set` describes. */
async function writtenOn(day: string, set: string): Promise<string> {
  const one = message();
  await write(database, [one]);
  await harness.environment.pool.query(`UPDATE outbox_events SET created_at = $1, ${set} WHERE id = $2`, [
    `${day}T12:00:00Z`,
    one.id,
  ]);
  return one.id;
}

it('makes the partitions of today and the next three days, also when several processes do', async () => {
  const today = new Date('2026-02-27T23:59:59Z');
  await Promise.all([1, 2, 3].map(() => ensurePartitions(database, today)));
  expect(await partitions()).toEqual([
    'outbox_events_20260227',
    'outbox_events_20260228',
    'outbox_events_20260301',
    'outbox_events_20260302',
    'outbox_events_default',
  ]);
});

it('writes into the partition of the day, and into the default one where that is missing', async () => {
  const place = async (id: string): Promise<string[]> => {
    const { rows } = await harness.environment.pool.query(
      'SELECT tableoid::regclass::text AS name FROM outbox_events WHERE id = $1',
      [id],
    );
    return names.parse(rows).map(({ name }) => name);
  };
  const before = message();
  await write(database, [before]);
  expect(await place(before.id)).toEqual(['outbox_events_default']);
  // Today has rows elsewhere now and cannot be split off; the other days are made all the same.
  const now = Date.now();
  await ensurePartitions(database, new Date(now));
  expect(await partitions()).toHaveLength(4);
  const later = new Date(now + 2 * DAY_MS).toISOString().slice(0, 10);
  expect(await place(await writtenOn(later, 'published_at = NULL'))).toEqual([
    `outbox_events_${later.replaceAll('-', '')}`,
  ]);
});

it('drops old partitions of which everything is published, never one that still owes something', async () => {
  await ensurePartitions(database, new Date('2025-03-01T00:00:00Z'));
  await writtenOn('2025-03-01', 'published_at = now()');
  const owed = await writtenOn('2025-03-02', 'published_at = NULL');
  await writtenOn('2025-03-02', 'published_at = now()');
  await writtenOn('2025-03-03', 'parked_at = now()');
  await writtenOn('2025-03-04', 'published_at = now()');
  const keepSince = new Date('2025-03-04T10:00:00Z');

  expect(await dropPublishedPartitions(database, keepSince)).toEqual(['outbox_events_20250301']);
  expect(await partitions()).toEqual([
    'outbox_events_20250302',
    'outbox_events_20250303',
    'outbox_events_20250304',
    'outbox_events_default',
  ]);
  expect((await readUnpublished(database, 10)).map(({ id }) => id)).toEqual([owed]);

  await harness.environment.pool.query('UPDATE outbox_events SET published_at = now() WHERE id = $1', [owed]);
  expect(await dropPublishedPartitions(database, keepSince)).toEqual(['outbox_events_20250302']);
});

it('deletes from the default partition what was published long ago, a few at a time, and nothing else', async () => {
  const old = `published_at = '2025-03-01T12:00:00Z'`;
  for (let count = 0; count < 3; count += 1) await writtenOn('2025-03-01', old);
  const kept = [
    await writtenOn('2025-03-01', 'published_at = NULL'),
    await writtenOn('2025-03-01', 'parked_at = now()'),
    await writtenOn('2025-03-01', `published_at = '2025-03-02T12:00:00Z'`),
  ];
  const keepSince = new Date('2025-03-02T00:00:00Z');
  expect(await deletePublishedStrays(database, keepSince, 2)).toBe(2);
  expect(await deletePublishedStrays(database, keepSince, 2)).toBe(1);
  expect(await deletePublishedStrays(database, keepSince, 2)).toBe(0);
  const { rows } = await harness.environment.pool.query('SELECT id FROM outbox_events ORDER BY seq');
  expect(rows).toEqual(kept.map((id) => ({ id })));
});

it('goes on while the service writes', async () => {
  await harness.startService();
  const today = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  const id = await harness.bus.request({ type: 'canary-money', data: { n: 1 } });
  await harness.bus.outcomeOf(id, 'completed');
  expect(await partitions()).toContain(`outbox_events_${today}`);
});

it('is kept up by the process that leads, as soon as it does', async () => {
  await writtenOn('2025-03-01', `published_at = '2025-03-01T12:00:00Z'`);
  await harness.environment.pool.query(
    `INSERT INTO analytics_events (id, event_type, occurred_at, properties) VALUES ($1, 'x', now(), '{}'), ($2, 'x', now(), '{}')`,
    [uuidV7(Date.now() - 91 * DAY_MS), uuidV7(Date.now() - 89 * DAY_MS)],
  );
  const left = async (): Promise<unknown> => {
    const { rows } = await harness.environment.pool.query(
      `SELECT (SELECT count(*)::int FROM outbox_events) AS messages, (SELECT count(*)::int FROM analytics_events) AS events`,
    );
    return rows[0];
  };
  expect(await left()).toEqual({ messages: 1, events: 2 });
  await harness.startService({}, undefined, { ROLES: 'scheduler' });
  await eventually('what is old is gone', async () => JSON.stringify(await left()) === '{"messages":0,"events":1}');
});

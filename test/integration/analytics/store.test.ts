import { randomUUID } from 'node:crypto';
import { uuidV7 } from '../../../src/platform/ids';
import { Database } from '../../../src/platform/postgres/database';
import { createAnalyticsStore, type AnalyticsEvent } from '../../../src/providers/analytics-store/store';
import { deleteEvents } from '../../../src/providers/analytics-store/rows';
import { eventIds, happening, rollups } from '../../support/analytics';
import { createTestEnvironment, type TestEnvironment } from '../../support/harness/environment';
import { waitsForLock } from '../../support/locks';
import { openDatabase, silentLog } from '../../support/records';

let environment: TestEnvironment;
let databases: Database[];

beforeAll(async () => {
  environment = await createTestEnvironment('http://stripe.invalid');
  // Days are those of UTC, whatever the server's time zone.
  const url = new URL(environment.variables['DATABASE_URL'] ?? '');
  await environment.pool.query(`ALTER DATABASE ${url.pathname.slice(1)} SET timezone TO 'Pacific/Auckland'`);
});
beforeEach(async () => {
  databases = [];
  await environment.pool.query('TRUNCATE analytics_events, analytics_rollups');
});
afterEach(() => Promise.all(databases.map((database) => database.close())));
afterAll(() => environment?.remove());

/** The store as one process has it. */
function openStore(url = environment.variables['DATABASE_URL'] ?? '') {
  const database = openDatabase(url);
  databases.push(database);
  return createAnalyticsStore(database);
}

async function recordAll(store: ReturnType<typeof openStore>, events: AnalyticsEvent[]): Promise<string[]> {
  const answers = await Promise.all(events.map((event) => store.record(event)));
  return answers.map(({ kind }) => kind);
}

it('keeps each event, and counts it in its minute and in its day', async () => {
  const venueId = randomUUID();
  const events = [
    happening({ venueId, occurredAt: '2026-01-15T10:00:01Z', amount: 1_000 }),
    happening({ venueId, occurredAt: '2026-01-15T10:00:59Z', amount: -300 }),
    happening({ venueId, occurredAt: '2026-01-15T10:01:00Z' }),
    happening({ venueId, occurredAt: '2026-01-15T10:01:00Z', eventType: 'ticket.sold', amount: 7 }),
    happening({ occurredAt: '2026-01-15T10:01:00Z' }),
  ];
  expect(new Set(await recordAll(openStore(), events))).toEqual(new Set(['done']));
  expect(await eventIds(environment.pool)).toEqual(events.map(({ id }) => id).sort());
  const day = { granularity: 'day', start: '2026-01-15T00:00:00' };
  const minute = { granularity: 'minute' };
  const counts = (events: number, amounts: number, amount_sum: number) => ({ events, amounts, amount_sum });
  const expected = [
    { ...day, venue: venueId, event_type: 'ticket.viewed', ...counts(3, 2, 700) },
    { ...day, venue: venueId, event_type: 'ticket.sold', ...counts(1, 1, 7) },
    { ...day, venue: 'global', event_type: 'ticket.viewed', ...counts(1, 0, 0) },
    { ...minute, start: '2026-01-15T10:00:00', venue: venueId, event_type: 'ticket.viewed', ...counts(2, 2, 700) },
    { ...minute, start: '2026-01-15T10:01:00', venue: venueId, event_type: 'ticket.viewed', ...counts(1, 0, 0) },
    { ...minute, start: '2026-01-15T10:01:00', venue: venueId, event_type: 'ticket.sold', ...counts(1, 1, 7) },
    { ...minute, start: '2026-01-15T10:01:00', venue: 'global', event_type: 'ticket.viewed', ...counts(1, 0, 0) },
  ];
  const found = await rollups(environment.pool);
  expect(found).toHaveLength(expected.length);
  for (const row of expected) expect(found).toContainEqual(row);
});

it('counts an event once that comes again: beside itself, later, and from another process at the same time', async () => {
  const [here, there] = [openStore(), openStore()];
  const event = happening({ amount: 500 });
  expect(await recordAll(here, [event, event, event])).toEqual(['done', 'done', 'done']);
  expect(await recordAll(here, [event])).toEqual(['done']);
  const others = Array.from({ length: 20 }, () => happening({ amount: 1 }));
  await Promise.all([recordAll(here, [event, ...others]), recordAll(there, [...others, event].toReversed())]);
  expect(await eventIds(environment.pool)).toHaveLength(21);
  expect(await rollups(environment.pool)).toEqual([
    expect.objectContaining({ granularity: 'day', events: 21, amounts: 21, amount_sum: 520 }),
    expect.objectContaining({ granularity: 'minute', events: 21, amounts: 21, amount_sum: 520 }),
  ]);
});

it('raises the minute and the day of an event that comes late', async () => {
  const store = openStore();
  await recordAll(store, [happening({ occurredAt: '2026-01-15T10:00:30Z' })]);
  await recordAll(store, [happening({ occurredAt: '2026-03-01T08:00:00Z' })]);
  await recordAll(store, [happening({ occurredAt: '2026-01-15T10:00:59.999Z' })]);
  expect(
    (await rollups(environment.pool)).map(({ granularity, start, events }) => [granularity, start, events]),
  ).toEqual([
    ['day', '2026-01-15T00:00:00', 2],
    ['minute', '2026-01-15T10:00:00', 2],
    ['day', '2026-03-01T00:00:00', 1],
    ['minute', '2026-03-01T08:00:00', 1],
  ]);
});

it('ends the day at midnight UTC, whatever the zones of the server and of the event', async () => {
  await recordAll(openStore(), [
    happening({ occurredAt: '2026-01-15T23:59:59.999Z' }),
    happening({ occurredAt: '2026-01-16T00:00:00Z' }),
    happening({ occurredAt: '2026-01-16T01:30:00+02:00' }),
    happening({ occurredAt: '2026-01-15T19:00:00-05:00' }),
  ]);
  expect((await rollups(environment.pool, 'day')).map(({ start, events }) => [start, events])).toEqual([
    ['2026-01-15T00:00:00', 2],
    ['2026-01-16T00:00:00', 2],
  ]);
});

it('lets processes that count in the same rows wait for each other, in whatever order their events came', async () => {
  const venues = Array.from({ length: 12 }, () => randomUUID()).sort();
  const visits = (inOrder: string[]) =>
    inOrder.map((venueId, n) => happening({ venueId, occurredAt: `2026-01-15T10:00:${10 + n}Z` }));
  const [here, there] = [openStore(), openStore()];
  await recordAll(here, visits(venues));
  const blocker = await environment.pool.connect();
  try {
    await blocker.query('BEGIN');
    await blocker.query(`SELECT FROM analytics_rollups WHERE venue = $1 FOR UPDATE`, [venues[6]]);
    const backward = recordAll(there, visits(venues.toReversed()));
    await waitsForLock(environment.pool);
    const forward = recordAll(here, visits(venues));
    await waitsForLock(environment.pool, 2);
    await blocker.query('COMMIT');
    expect(new Set([...(await backward), ...(await forward)])).toEqual(new Set(['done']));
  } finally {
    blocker.release();
  }
  const found = await rollups(environment.pool);
  expect(found.map(({ events }) => events)).toEqual(Array.from({ length: 24 }, () => 3));
});

it('adds up whatever many processes record at the same time', async () => {
  const stores = Array.from({ length: 4 }, () => openStore());
  const venueId = randomUUID();
  const answers = await Promise.all(
    stores.map((store, index) =>
      recordAll(
        store,
        Array.from({ length: 250 }, (_, n) =>
          happening({ venueId, amount: 1, occurredAt: `2026-01-15T10:0${(n + index) % 5}:00Z` }),
        ),
      ),
    ),
  );
  expect(new Set(answers.flat())).toEqual(new Set(['done']));
  expect(await rollups(environment.pool, 'day')).toMatchObject([{ events: 1_000, amount_sum: 1_000 }]);
  expect((await rollups(environment.pool, 'minute')).map(({ events }) => events)).toEqual([200, 200, 200, 200, 200]);
});

it('refuses an event for what it holds, and not its neighbours', async () => {
  const unstorable = happening({ properties: { note: 'a NUL \u0000' } });
  const events = [happening(), unstorable, happening()];
  expect(await recordAll(openStore(), events)).toEqual(['done', 'declined', 'done']);
  expect(await rollups(environment.pool, 'day')).toMatchObject([{ events: 2 }]);
});

it('says that nobody knows while the database does not answer, and that it may pass while it refuses', async () => {
  const nowhere = new Database(
    { url: 'postgres://nobody@127.0.0.1:1/nothing', poolSize: 1, statementTimeoutMs: 1_000, prepareStatements: false },
    silentLog,
  );
  databases.push(nowhere);
  expect(await createAnalyticsStore(nowhere).record(happening())).toMatchObject({ kind: 'unknown' });
  await environment.pool.query('ALTER TABLE analytics_events RENAME TO elsewhere');
  try {
    expect(await recordAll(openStore(), [happening()])).toEqual(['refused']);
  } finally {
    await environment.pool.query('ALTER TABLE elsewhere RENAME TO analytics_events');
  }
});

it('forgets events that were asked for long ago, a few at a time, and keeps what was counted of them', async () => {
  const store = openStore();
  const before = new Date('2026-01-10T00:00:00Z');
  const asked = (moment: string) => happening({ id: uuidV7(Date.parse(moment)), amount: 5 });
  const old = Array.from({ length: 3 }, () => asked('2026-01-09T23:59:59.999Z'));
  const young = [asked('2026-01-10T00:00:00Z'), happening({ occurredAt: '2020-01-01T00:00:00Z' })];
  await recordAll(store, [...old, ...young]);
  const counted = await rollups(environment.pool);
  const database = openDatabase(environment.variables['DATABASE_URL'] ?? '');
  databases.push(database);
  expect(await deleteEvents(database, before, 2)).toBe(2);
  expect(await deleteEvents(database, before, 2)).toBe(1);
  expect(await deleteEvents(database, before, 2)).toBe(0);
  expect(await eventIds(environment.pool)).toEqual(young.map(({ id }) => id).sort());
  expect(await rollups(environment.pool)).toEqual(counted);
});

import { analyticsTrackHandler } from '../../../src/handlers/analytics-track';
import { uuidV7 } from '../../../src/platform/ids';
import { Database } from '../../../src/platform/postgres/database';
import { createAnalyticsStore } from '../../../src/providers/analytics-store/store';
import { eventIds, rollups } from '../../support/analytics';
import { contextOf } from '../../support/handler-context';
import { createTestEnvironment, type TestEnvironment } from '../../support/harness/environment';
import { openDatabase, silentLog } from '../../support/records';

const payload = { eventType: 'ticket.sold', data: { amount: 4_200 }, timestamp: '2026-01-15T10:00:00Z' };

let environment: TestEnvironment;
let database: Database;

beforeAll(async () => {
  environment = await createTestEnvironment('http://stripe.invalid');
  database = openDatabase(environment.variables['DATABASE_URL'] ?? '');
});
beforeEach(() => environment.pool.query('TRUNCATE analytics_events, analytics_rollups'));
afterAll(async () => {
  await database?.close();
  await environment?.remove();
});

it('records the event under the id of its job, and once however often the job runs', async () => {
  const [type, handle] = analyticsTrackHandler(createAnalyticsStore(database));
  expect(type).toBe('analytics-track');
  const jobId = uuidV7();
  for (const context of [contextOf({ jobId }), contextOf({ jobId })]) {
    const outcome = await handle(payload, context);
    expect(outcome).toEqual({
      kind: 'done',
      result: { eventType: 'ticket.sold', processedAt: expect.stringMatching(/Z$/) },
    });
  }
  expect(await eventIds(environment.pool)).toEqual([jobId]);
  expect(await rollups(environment.pool, 'day')).toMatchObject([{ events: 1, amount_sum: 4_200 }]);
});

it('fails for good when the event cannot be stored', async () => {
  const [, handle] = analyticsTrackHandler(createAnalyticsStore(database));
  const outcome = await handle({ ...payload, data: { note: '\u0000' } }, contextOf());
  expect(outcome).toMatchObject({ kind: 'failed', code: 'NOT_STORABLE', replayable: false });
});

it('waits, and spends no attempt, while the store is away', async () => {
  const nowhere = new Database(
    { url: 'postgres://nobody@127.0.0.1:1/nothing', poolSize: 1, statementTimeoutMs: 1_000, prepareStatements: false },
    silentLog,
  );
  const [, handle] = analyticsTrackHandler(createAnalyticsStore(nowhere));
  expect(await handle(payload, contextOf())).toMatchObject({ kind: 'snooze', code: 'ANALYTICS_STORE_SILENT' });
  await nowhere.close();
});

import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cleanupOldDataHandler } from '../../../src/handlers/cleanup-old-data';
import { createTableSource } from '../../../src/providers/old-data/table';
import { openHarness, type Harness } from '../../support/harness';
import { contextOf } from '../../support/handler-context';
import { openDatabase } from '../../support/records';

const OLDER_THAN = '2020-06-01T00:00:00Z';

let harness: Harness;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'old-data-'));
  harness = await openHarness();
  await harness.environment.pool.query(
    'CREATE TABLE sessions (id bigint PRIMARY KEY, expires_at timestamptz NOT NULL)',
  );
  const variables = { CLEANUP_SESSIONS: 'sessions.expires_at', CLEANUP_TEMP_FOLDER: folder };
  await harness.startService({}, undefined, variables);
});
beforeEach(() =>
  harness.environment.pool.query(`
    TRUNCATE sessions;
    INSERT INTO sessions SELECT n, '2020-01-01T00:00:00Z' FROM generate_series(1, 1201) n;
    INSERT INTO sessions VALUES (0, now());`),
);
afterAll(async () => {
  await harness?.close();
  rmSync(folder, { recursive: true, force: true });
});

const sessions = async (): Promise<number> =>
  Number((await harness.environment.pool.query('SELECT count(*) FROM sessions')).rows[0]?.['count']);

async function cleanUp(data: Record<string, unknown>) {
  const id = await harness.bus.request({ type: 'cleanup-old-data', data: { olderThan: OLDER_THAN, ...data } });
  return (await harness.bus.outcomeOf(id, 'completed')).data.result;
}

it('counts sessions in a dry run, and takes them away in the run after it', async () => {
  const dry = await cleanUp({ dataType: 'sessions', dryRun: true });
  expect(dry).toMatchObject({ dataType: 'sessions', dryRun: true, found: 1_201, deleted: 0 });
  expect(await sessions()).toBe(1_202);
  expect(await cleanUp({ dataType: 'sessions' })).toMatchObject({ dryRun: false, found: 1_201, deleted: 1_201 });
  expect(await sessions()).toBe(1);
});

it('removes files of the folder that is configured', async () => {
  const file = path.join(folder, 'old');
  writeFileSync(file, 'text');
  utimesSync(file, new Date(0), new Date(0));
  expect(await cleanUp({ dataType: 'temp_files' })).toMatchObject({ found: 1, deleted: 1, failed: 0 });
  expect(existsSync(file)).toBe(false);
});

it('is refused with the reason where nothing is configured', async () => {
  const data = { dataType: 'old_logs', olderThan: OLDER_THAN };
  const id = await harness.bus.request({ type: 'cleanup-old-data', data });
  const { data: outcome } = await harness.bus.outcomeOf(id, 'rejected');
  expect(outcome.error).toMatchObject({
    code: 'TYPE_UNAVAILABLE',
    details: [{ message: expect.stringContaining('CLEANUP_LOG_FOLDER') }],
  });
});

it('touches nothing that is younger than an hour', async () => {
  const olderThan = new Date(Date.now() - 60_000).toISOString();
  const id = await harness.bus.request({ type: 'cleanup-old-data', data: { dataType: 'sessions', olderThan } });
  expect((await harness.bus.outcomeOf(id, 'failed')).data.error).toMatchObject({ code: 'TOO_RECENT' });
  expect(await sessions()).toBe(1_202);
});

it('goes on from where it was stopped, without an attempt spent, and reports a table that is not there', async () => {
  const database = openDatabase(harness.environment.variables['DATABASE_URL'] ?? '');
  const stopping = new AbortController();
  const rows = createTableSource(
    {
      query: async (statement, values) => {
        const answer = await database.query<never>(statement, values);
        stopping.abort();
        return answer;
      },
    },
    { table: 'sessions', column: 'expires_at' },
  );
  const [, handle] = cleanupOldDataHandler({
    sessions: rows,
    old_logs: createTableSource(database, { table: 'nothing', column: 'at' }),
  });
  const context = contextOf({ signal: stopping.signal });
  expect(await handle({ dataType: 'sessions', olderThan: OLDER_THAN }, context)).toMatchObject({ kind: 'snooze' });
  expect(await sessions()).toBe(702);
  const missing = await handle({ dataType: 'old_logs', olderThan: OLDER_THAN }, contextOf());
  expect(missing).toMatchObject({
    kind: 'retry',
    code: 'SOURCE_UNAVAILABLE',
    message: expect.stringContaining('42P01'),
  });
  await database.close();
});

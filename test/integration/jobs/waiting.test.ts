import { markNotQueued } from '../../../src/jobs/claim';
import { anyWaiting, takeWaiting } from '../../../src/jobs/dispatch';
import type { Database } from '../../../src/platform/postgres/database';
import { createTestEnvironment, type TestEnvironment } from '../../support/harness/environment';
import { claimJob, openDatabase, startOne } from '../../support/records';

const HOUR_MS = 60 * 60 * 1_000;
const ALL = 100;

let environment: TestEnvironment;
let database: Database;

beforeEach(async () => {
  environment = await createTestEnvironment('http://stripe.invalid');
  database = openDatabase(environment.variables['DATABASE_URL'] ?? '');
});
afterEach(async () => {
  await database?.close();
  await environment?.remove();
});

async function wait(priority: number, dueInMs: number): Promise<string> {
  const { jobId } = await claimJob(database, { priority, delayMs: dueInMs, queued: false });
  return jobId;
}

const taken = async (limit: number): Promise<string[]> =>
  (await takeWaiting(database, limit)).map(({ jobId }) => jobId);

it('the most urgent of those that wait are taken first, of these the longest due', async () => {
  const idle = await wait(1, -3 * HOUR_MS);
  const urgent = await wait(10, -HOUR_MS);
  const longer = await wait(10, -2 * HOUR_MS);
  const middling = await wait(5, -HOUR_MS);
  expect(await taken(2)).toEqual([longer, urgent]);
  expect(await taken(ALL)).toEqual([middling, idle]);
  expect(await taken(ALL)).toEqual([]);
});

it('those of a later day are left, and are in nobody’s way', async () => {
  await Promise.all([10, 5, 1].map((priority) => wait(priority, HOUR_MS)));
  expect(await anyWaiting(database)).toBe(false);
  const due = await wait(1, -1);
  expect(await anyWaiting(database)).toBe(true);
  const soon = await wait(5, 30_000);
  expect(await taken(ALL)).toEqual([soon, due]);
  expect(await anyWaiting(database)).toBe(false);
});

it('one that was started all the same does not wait any more', async () => {
  const request = await claimJob(database);
  await markNotQueued(database, [request.jobId]);
  expect(await anyWaiting(database)).toBe(true);
  await startOne(database, request);
  expect([await anyWaiting(database), await taken(ALL)]).toEqual([false, []]);
});

import { randomUUID } from 'node:crypto';
import { insertClaims } from '../../../src/jobs/claim';
import { startJobs } from '../../../src/jobs/start';
import type { Database } from '../../../src/platform/postgres/database';
import { createTestEnvironment, type TestEnvironment } from '../../support/harness/environment';
import { claimJob, claimOf, openDatabase } from '../../support/records';

const STATES = ['pending', 'processing', 'completed', 'failed', 'cancelled', 'in_doubt'];
const FINISHED = ['completed', 'failed', 'cancelled'];
/** The state diagram; a replay, which also raises the generation, is tested by itself. */
const ALLOWED = new Set([
  'pending → processing',
  'pending → cancelled',
  'processing → completed',
  'processing → failed',
  'processing → cancelled',
  'processing → in_doubt',
  'processing → pending',
  'in_doubt → completed',
  'in_doubt → failed',
  'in_doubt → pending',
]);

let environment: TestEnvironment;
let database: Database;

beforeAll(async () => {
  environment = await createTestEnvironment('http://stripe.invalid');
  database = openDatabase(environment.variables['DATABASE_URL'] ?? '');
});
afterAll(async () => {
  await database?.close();
  await environment?.remove();
});

/** A job that is in this state, whatever way leads there. */
async function jobIn(state: string): Promise<string> {
  const { jobId } = await claimJob(database);
  await environment.pool.query('ALTER TABLE critical_jobs DISABLE TRIGGER critical_jobs_transitions');
  await move(jobId, state);
  await environment.pool.query('ALTER TABLE critical_jobs ENABLE TRIGGER critical_jobs_transitions');
  return jobId;
}

async function move(jobId: string, state: string, generation = 1): Promise<void> {
  await environment.pool.query(
    `UPDATE critical_jobs SET status = $2, generation = $3, finished_at = CASE WHEN $4 THEN now() END WHERE id = $1`,
    [jobId, state, generation, FINISHED.includes(state)],
  );
}

async function movesOf(jobId: string): Promise<string[]> {
  const { rows } = await environment.pool.query<{ move: string }>(
    `SELECT from_status || ' → ' || to_status AS move FROM critical_job_transitions WHERE job_id = $1`,
    [jobId],
  );
  return rows.map((row) => row.move);
}

describe.each(STATES)('a job that is %s', (from) => {
  it.each(STATES.filter((state) => state !== from))('goes to %s exactly if the diagram has it', async (to) => {
    const jobId = await jobIn(from);
    const name = `${from} → ${to}`;
    if (ALLOWED.has(name)) {
      await move(jobId, to);
      expect(await movesOf(jobId)).toEqual([name]);
    } else {
      await expect(move(jobId, to)).rejects.toThrow(`job ${jobId} may not go from ${from} to ${to}`);
      expect(await movesOf(jobId)).toEqual([]);
    }
  });
});

it('a failed job waits again only as its next generation', async () => {
  const jobId = await jobIn('failed');
  await expect(move(jobId, 'pending', 3)).rejects.toThrow('may not go');
  await move(jobId, 'pending', 2);
  expect(await movesOf(jobId)).toEqual(['failed → pending']);
});

it('one move that is not allowed undoes those of its whole statement', async () => {
  const [good, bad] = [await jobIn('pending'), await jobIn('completed')];
  const both = environment.pool.query(
    `UPDATE critical_jobs SET status = 'processing', finished_at = NULL WHERE id IN ($1, $2)`,
    [good, bad],
  );
  await expect(both).rejects.toThrow('may not go from completed to processing');
  expect(await movesOf(good)).toEqual([]);
});

it('the new row of a start has room in the page of the old one, so that no index is told of it', async () => {
  const claims = Array.from({ length: 200 }, () => claimOf({ data: JSON.stringify({ n: 1, note: 'x'.repeat(200) }) }));
  await insertClaims(database, claims);
  const before = await pages();
  const starts = claims.map(({ jobId }) => ({ jobId, generation: 1, dispatch: 1, token: randomUUID() }));
  expect(await startJobs(database, starts, 'test')).toHaveLength(200);
  const after = await pages();
  expect(claims.filter(({ jobId }) => before.get(jobId) !== after.get(jobId))).toEqual([]);
});

async function pages(): Promise<Map<string, number>> {
  const { rows } = await environment.pool.query<{ id: string; page: number }>(
    'SELECT id, (ctid::text::point)[0]::int AS page FROM critical_jobs',
  );
  return new Map(rows.map(({ id, page }) => [id, page]));
}

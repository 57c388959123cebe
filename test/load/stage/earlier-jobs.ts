/** Databases in which much has happened before: written by PostgreSQL itself, since doing the work would take hours. */
import { Client } from 'pg';
import type { Build } from './build';
import { createDatabase, dropDatabase } from './place';

/** Rows of one statement, so that a Ctrl-C is heeded before long. */
const AT_ONCE = 500_000;

/** Money jobs as the service would have left them. Ids rise with their time, digests do not. */
const JOBS = `
  WITH earlier AS (
    SELECT n, at, md5('token' || n) AS hash, sha256(n::text::bytea) AS digest,
      lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') AS ms
    FROM generate_series($1::bigint, $2::bigint) AS n,
      LATERAL (SELECT now() - interval '30 days' + n * (interval '29 days' / $3::integer) AS at) AS moment
  ), job AS (
    SELECT *, (ms || '7' || left(hash, 3) || '8' || right(hash, 15))::uuid AS id FROM earlier
  )
  INSERT INTO critical_jobs (id, queue_name, job_type, priority, data, idempotency_key, key_scope, live_key, fingerprint,
    request_key, request_source, request_id, max_attempts, timeout_ms, created_at,
    status, queued, run_at, updated_at, attempts, starts, finishes, attempt_token, sequence, result, worker, started_at,
    finished_at)
  SELECT id, 'money-queue', 'canary-money', 10, jsonb_build_object('n', n), 'order-' || n, '/bench', md5('key' || n)::uuid,
    '1:' || encode(digest, 'hex'), md5('request' || n)::uuid, '/bench', id::text, 10, 10000, at,`;

const STATES = {
  /** Came and ended, evenly in the month before. */
  ended: `${JOBS} 'completed', true, at, at, 1, 1, 1, hash::uuid, 1, '{"n": 1}', 'an-earlier-worker', at, at FROM job`,
  /** Wait for room in Redis, and could have run long ago. */
  due: `${JOBS} 'pending', false, at, at, 0, 0, 0, NULL, 0, NULL, NULL, NULL, NULL FROM job`,
  /** Wait for a day that is to come. */
  later: `${JOBS} 'pending', false, at + interval '60 days', at, 0, 0, 0, NULL, 0, NULL, NULL, NULL, NULL FROM job`,
} as const;

export type EarlierState = keyof typeof STATES;

/**
 * A copy of the build's database with so many jobs of earlier days in it.
 * @returns its name
 */
export async function withEarlierJobs(
  build: Build,
  state: EarlierState,
  jobs: number,
  signal: AbortSignal,
): Promise<string> {
  const name = `${build.template}_${state}`;
  await dropDatabase(name);
  const client = new Client({ connectionString: await createDatabase(name, build.template) });
  // Ends what runs there, however long it would go on.
  const abandon = (): void => void dropDatabase(name).catch(() => undefined);
  client.on('error', () => undefined);
  signal.addEventListener('abort', abandon);
  try {
    await client.connect();
    await fill(client, STATES[state], jobs, signal);
  } catch (error) {
    await dropDatabase(name);
    throw error;
  } finally {
    signal.removeEventListener('abort', abandon);
    await client.end();
  }
  return name;
}

async function fill(client: Client, statement: string, jobs: number, signal: AbortSignal): Promise<void> {
  // Indexes are built in one go.
  await client.query(`SET maintenance_work_mem = '1GB'`);
  const indexes = await client.query<{ name: string; definition: string }>(`
    SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
    FROM pg_index WHERE indrelid = 'critical_jobs'::regclass AND NOT indisprimary`);
  for (const { name } of indexes.rows) await client.query(`DROP INDEX ${name}`);
  for (let first = 1; first <= jobs; first += AT_ONCE) {
    signal.throwIfAborted();
    await client.query(statement, [first, Math.min(jobs, first + AT_ONCE - 1), jobs]);
  }
  for (const { definition } of indexes.rows) {
    signal.throwIfAborted();
    await client.query(definition);
  }
  // As it would be by then; otherwise it happened while something is measured.
  await client.query('VACUUM (ANALYZE) critical_jobs');
  await client.query('CHECKPOINT');
}

import type { Queryable, Transaction } from '../platform/postgres/database';
import type { JobRecord } from './job';
import { RECORD_COLUMNS, toRecord, type RecordRow } from './rows';

/** Another request that asks for work which a job already does. */
export interface Follower {
  jobId: string;
  requestKey: string;
  requestId: string;
  source: string;
  correlationId: string | undefined;
  traceparent: string | undefined;
}

/**
 * How many followers one transaction answers at most. A retry storm may leave a job with tens of thousands, and whoever
 * answered them all at once would hold up every job that settles meanwhile.
 */
export const FOLLOWERS_AT_ONCE = 200;

/**
 * Records who asked for the work of a job, for ever: the same request again is then known. `answered` where the job has
 * ended, so that there is nothing to wait for. The rows of these jobs are locked by the same transaction.
 */
export async function addFollowers(tx: Transaction, followers: (Follower & { answered: boolean })[]): Promise<void> {
  if (followers.length === 0) return;
  const waiting = followers.filter(({ answered }) => !answered).map(({ jobId }) => jobId);
  await tx.query(
    { text: 'UPDATE critical_jobs SET has_followers = true WHERE id = ANY($1::uuid[]) AND NOT has_followers' },
    [[...new Set(waiting)]],
  );
  await insertFollowers(tx, followers);
}

/** The same for jobs without a row of their own here: their followers are answered by their own rows alone. */
export async function insertFollowers(tx: Transaction, followers: (Follower & { answered: boolean })[]): Promise<void> {
  if (followers.length === 0) return;
  await tx.query(
    {
      text: `
        INSERT INTO job_followers (job_id, request_key, request_id, request_source, correlation_id, traceparent,
          answered_at)
        SELECT job_id, request_key, request_id, request_source, correlation_id, traceparent,
          CASE WHEN answered THEN now() END
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[])
          AS f (job_id, request_key, request_id, request_source, correlation_id, traceparent, answered)
        ON CONFLICT DO NOTHING`,
    },
    [
      followers.map((follower) => follower.jobId),
      followers.map((follower) => follower.requestKey),
      followers.map((follower) => follower.requestId),
      followers.map((follower) => follower.source),
      followers.map((follower) => follower.correlationId ?? null),
      followers.map((follower) => follower.traceparent ?? null),
      followers.map((follower) => follower.answered),
    ],
  );
}

/** Which of these requests were answered as duplicates, and of which job. */
export async function readFollowed(tx: Queryable, requestKeys: string[]): Promise<Map<string, string>> {
  const rows = await tx.query<{ request_key: string; job_id: string }>(
    { text: 'SELECT request_key, job_id FROM job_followers WHERE request_key = ANY($1::uuid[])' },
    [requestKeys],
  );
  return new Map(rows.map((row) => [row.request_key, row.job_id]));
}

/** Takes the first of those who wait for these jobs; they are answered in the same transaction, the others soon after. */
export async function takeFollowers(tx: Transaction, jobIds: string[]): Promise<Follower[]> {
  const rows = await tx.query<FollowerRow>(
    {
      text: `
        UPDATE job_followers f SET answered_at = now()
        WHERE f.request_key IN (
          SELECT request_key FROM job_followers WHERE job_id = ANY($1::uuid[]) AND answered_at IS NULL LIMIT $2
        )
        RETURNING ${FOLLOWER_COLUMNS}`,
    },
    [jobIds, FOLLOWERS_AT_ONCE],
  );
  return rows.map(toFollower);
}

/**
 * Takes followers of jobs that have ended and not answered them yet, with what their job has to say.
 * @param records where jobs that have ended are found, as a row source with the columns of the record of truth
 */
export async function takeLateFollowers(
  tx: Transaction,
  records: string,
): Promise<{ follower: Follower; job: JobRecord }[]> {
  const rows = await tx.query<RecordRow & FollowerRow>(
    {
      text: `
        UPDATE job_followers f SET answered_at = now()
        FROM ${records} j
        WHERE j.id = f.job_id AND f.request_key IN (
          SELECT w.request_key FROM job_followers w JOIN ${records} e ON e.id = w.job_id
          WHERE w.answered_at IS NULL AND e.finished_at IS NOT NULL
          LIMIT $1 FOR UPDATE OF w SKIP LOCKED
        )
        RETURNING ${RECORD_COLUMNS}, ${FOLLOWER_COLUMNS}`,
    },
    [FOLLOWERS_AT_ONCE],
  );
  return rows.map((row) => ({ follower: toFollower(row), job: toRecord(row) }));
}

/** Jobs that somebody waits for and that PostgreSQL does not know: they are open in a Redis, or were lost with it. */
export async function readUnknownFollowed(database: Queryable, after: string, limit: number): Promise<string[]> {
  const rows = await database.query<{ job_id: string }>(
    {
      text: `
        SELECT DISTINCT f.job_id FROM job_followers f
        WHERE f.answered_at IS NULL AND f.job_id > $1 AND ${UNKNOWN}
        ORDER BY f.job_id LIMIT $2`,
    },
    [after, limit],
  );
  return rows.map((row) => row.job_id);
}

/** Forgets who waits for these jobs, unless PostgreSQL knows the job by now. */
export async function deleteFollowers(database: Queryable, jobIds: string[]): Promise<void> {
  await database.query({ text: `DELETE FROM job_followers f WHERE f.job_id = ANY($1::uuid[]) AND ${UNKNOWN}` }, [
    jobIds,
  ]);
}

const UNKNOWN = `NOT EXISTS (SELECT FROM critical_jobs j WHERE j.id = f.job_id)
  AND NOT EXISTS (SELECT FROM idempotency_keys k WHERE k.job_id = f.job_id)`;

interface FollowerRow {
  follower_job_id: string;
  follower_request_key: string;
  follower_request_id: string;
  follower_source: string;
  follower_correlation_id: string | null;
  follower_traceparent: string | null;
}

const FOLLOWER_COLUMNS = `f.job_id AS follower_job_id, f.request_key AS follower_request_key,
  f.request_id AS follower_request_id, f.request_source AS follower_source,
  f.correlation_id AS follower_correlation_id, f.traceparent AS follower_traceparent`;

function toFollower(row: FollowerRow): Follower {
  return {
    jobId: row.follower_job_id,
    requestKey: row.follower_request_key,
    requestId: row.follower_request_id,
    source: row.follower_source,
    correlationId: row.follower_correlation_id ?? undefined,
    traceparent: row.follower_traceparent ?? undefined,
  };
}

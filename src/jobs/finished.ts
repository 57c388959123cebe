import type { OutcomeError } from '../contract/outcome';
import type { Queryable, Transaction } from '../platform/postgres/database';
import type { StandingJob } from './conflicts';
import type { JobStatus } from './job';
import type { JobView } from './read';
import { RECORD_COLUMNS, toRecord, type RecordRow } from './rows';

/** The end of a job of a lower tier, and everything that is remembered of it. */
export interface Finish {
  jobId: string;
  generation: number;
  token: string;
  queueName: string;
  jobType: string;
  idempotencyKey: string;
  /** Undefined when the end lets go of the key. */
  liveKey: string | undefined;
  fingerprint: string;
  requestKey: string;
  source: string;
  requestId: string;
  correlationId: string | undefined;
  traceparent: string | undefined;
  userId: string | undefined;
  venueId: string | undefined;
  status: 'completed' | 'failed' | 'cancelled';
  attempts: number;
  sequence: number;
  result: unknown;
  error: OutcomeError | null;
  acceptedAt: Date;
  startedAt: Date | undefined;
  finishedAt: Date;
  /** Milliseconds that it is remembered. */
  keepMs: number;
}

/**
 * Ends jobs, as part of the caller's transaction; answers with the tokens that did. A job and generation ends once: one
 * that is missing in the answer had ended before. A key that an earlier job still holds here stays that job's (Redis was
 * emptied between the two).
 */
export async function insertFinished(tx: Transaction, finishes: Finish[]): Promise<Set<string>> {
  if (finishes.length === 0) return new Set();
  const sorted = [...finishes].sort((left, right) => (left.jobId < right.jobId ? -1 : 1));
  // A holder whose time is over, and which is not deleted yet, holds nothing any more.
  await tx.query(LET_GO, [sorted.flatMap(({ liveKey }) => liveKey ?? [])]);
  const rows = await tx.query<{ attempt_token: string }>(INSERT, [
    JSON.stringify(
      sorted.map((finish) => ({
        job_id: finish.jobId,
        generation: finish.generation,
        key: finish.idempotencyKey,
        queue_name: finish.queueName,
        job_type: finish.jobType,
        status: finish.status,
        live_key: finish.liveKey ?? null,
        fingerprint: finish.fingerprint,
        request_key: finish.requestKey,
        request_source: finish.source,
        request_id: finish.requestId,
        correlation_id: finish.correlationId ?? null,
        traceparent: finish.traceparent ?? null,
        user_id: finish.userId ?? null,
        venue_id: finish.venueId ?? null,
        attempt_token: finish.token,
        attempts: finish.attempts,
        sequence: finish.sequence,
        result: finish.result,
        error: finish.error,
        created_at: finish.acceptedAt,
        started_at: finish.startedAt,
        processed_at: finish.finishedAt,
        expires_at: new Date(finish.finishedAt.getTime() + finish.keepMs),
      })),
    ),
  ]);
  return new Set(rows.map((row) => row.attempt_token));
}

/** Which of these jobs have ended, and which have effects in the ledger. */
export async function readEnds(
  database: Queryable,
  jobIds: string[],
): Promise<{ finished: Set<string>; withEffects: Set<string> }> {
  const rows = await database.query<{ job_id: string; finished: boolean }>(
    {
      name: 'finished-ids',
      text: `
        SELECT job_id, true AS finished FROM idempotency_keys WHERE job_id = ANY($1::uuid[])
        UNION ALL SELECT DISTINCT job_id, false FROM job_effects WHERE job_id = ANY($1::uuid[])`,
    },
    [jobIds],
  );
  const idsOf = (finished: boolean): Set<string> =>
    new Set(rows.filter((row) => row.finished === finished).map((row) => row.job_id));
  return { finished: idsOf(true), withEffects: idsOf(false) };
}

/** Whether the attempt with this token is the one that ended the job: the answer to its COMMIT may have been lost. */
export async function wasFinishedBy(database: Queryable, jobId: string, token: string): Promise<boolean> {
  const rows = await database.query({ text: 'SELECT FROM idempotency_keys WHERE job_id = $1 AND attempt_token = $2' }, [
    jobId,
    token,
  ]);
  return rows.length > 0;
}

/** Finished jobs that came from one of these requests, hold one of these keys, or are named. */
export async function readFinished(
  database: Queryable,
  wanted: { requestKeys: string[]; liveKeys: string[]; jobIds: string[] },
): Promise<StandingJob[]> {
  const rows = await database.query<FinishedRow>(FIND, [wanted.requestKeys, wanted.liveKeys, wanted.jobIds]);
  return rows.map((row) => ({
    ...toRecord(row),
    requestKey: row.request_key,
    liveKey: row.live_key ?? undefined,
    fingerprint: row.fingerprint,
    queued: false,
  }));
}

/** A finished job as those see it whom it concerns; what it was asked for with is not kept. */
export async function readFinishedView(database: Queryable, jobId: string): Promise<JobView | undefined> {
  const rows = await database.query<RecordRow & { user_id: string | null; venue_id: string | null }>(
    { text: `SELECT ${RECORD_COLUMNS}, j.user_id, j.venue_id FROM ${FINISHED_AS_RECORD} j WHERE j.id = $1` },
    [jobId],
  );
  return rows.map((row) => ({
    ...toRecord(row),
    data: undefined,
    userId: row.user_id ?? undefined,
    venueId: row.venue_id ?? undefined,
    maxAttempts: undefined,
    runAt: undefined,
  }))[0];
}

/** Forgets up to `limit` of those whose time has come, with their ledger and followers; answers with their number. */
export async function deleteExpired(database: Queryable, limit: number): Promise<number> {
  const rows = await database.query(
    {
      text: `
        WITH expired AS (
          DELETE FROM idempotency_keys WHERE (job_id, generation) IN (
            SELECT job_id, generation FROM idempotency_keys WHERE expires_at <= now() LIMIT $1
          ) RETURNING job_id
        ), effects AS (
          DELETE FROM job_effects WHERE job_id IN (SELECT job_id FROM expired)
        ), followers AS (
          DELETE FROM job_followers WHERE job_id IN (SELECT job_id FROM expired)
        )
        SELECT job_id FROM expired`,
    },
    [limit],
  );
  return rows.length;
}

/** The record of a finished job in the columns of the record of truth, so that both are read alike. */
export const FINISHED_AS_RECORD = `(
  SELECT job_id AS id, queue_name, job_type, key AS idempotency_key, request_id, request_source, correlation_id,
    traceparent, generation, created_at, status, 1 AS dispatch, attempts, sequence, result, error, started_at,
    processed_at AS finished_at, request_key, live_key, fingerprint, user_id, venue_id, expires_at
  FROM idempotency_keys)`;

interface FinishedRow extends RecordRow {
  status: JobStatus;
  request_key: string;
  live_key: string | null;
  fingerprint: string;
}

const FIND = {
  name: 'finished-find',
  text: `
    SELECT ${RECORD_COLUMNS}, j.request_key, j.live_key, j.fingerprint
    FROM ${FINISHED_AS_RECORD} j
    WHERE j.request_key = ANY($1::uuid[]) OR j.id = ANY($3::uuid[])
      OR (j.live_key = ANY($2::uuid[]) AND j.expires_at > now())`,
};

const LET_GO = {
  name: 'finished-let-go',
  text: 'UPDATE idempotency_keys SET live_key = NULL WHERE live_key = ANY($1::uuid[]) AND expires_at <= now()',
};

const INSERT = {
  name: 'finished-insert',
  text: `
    INSERT INTO idempotency_keys (job_id, generation, key, queue_name, job_type, status, live_key, fingerprint,
      request_key, request_source, request_id, correlation_id, traceparent, user_id, venue_id, attempt_token, attempts,
      sequence, result, error, created_at, started_at, processed_at, expires_at)
    SELECT job_id, generation, key, queue_name, job_type, status,
      CASE WHEN EXISTS (SELECT FROM idempotency_keys held WHERE held.live_key = f.live_key) THEN NULL ELSE live_key END,
      fingerprint, request_key, request_source, request_id, correlation_id, traceparent, user_id, venue_id,
      attempt_token, attempts, sequence, NULLIF(result, 'null'), NULLIF(error, 'null'), created_at, started_at,
      processed_at, expires_at
    FROM jsonb_populate_recordset(NULL::idempotency_keys, $1::jsonb) f
    ON CONFLICT (job_id, generation) DO NOTHING
    RETURNING attempt_token`,
};

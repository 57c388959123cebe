import type { Queryable, Transaction } from '../platform/postgres/database';
import type { StandingJob } from './conflicts';
import type { JobStatus } from './job';
import type { JobView } from './read';
import { RECORD_COLUMNS, toRecord, type RecordRow } from './rows';
import type { EndedAttempt } from './settle';
import { ownersOf } from './volatile/record';

/** What is the same for all ends of one tier. */
export interface FinishOptions {
  queueName: string;
  /** Milliseconds that a job's end is remembered, and its key held. */
  keepMs: number;
}

/**
 * Ends jobs, as part of the caller's transaction; answers with the tokens that did. A job and generation ends once: one
 * that is missing in the answer had ended before. A key that an earlier job still holds here stays that job's (Redis was
 * emptied between the two).
 */
export async function insertFinished(
  tx: Transaction,
  ends: EndedAttempt[],
  options: FinishOptions,
): Promise<Set<string>> {
  if (ends.length === 0) return new Set();
  const rows = ends.map((end) => toRow(end, options)).sort((left, right) => (left.job_id < right.job_id ? -1 : 1));
  // A holder whose time is over, and which is not deleted yet, holds nothing any more.
  await tx.query(LET_GO, [rows.flatMap(({ live_key }) => live_key ?? [])]);
  const inserted = await tx.query<{ attempt_token: string }>(INSERT, [JSON.stringify(rows)]);
  return new Set(inserted.map((row) => row.attempt_token));
}

function toRow({ job, settlement }: EndedAttempt, { queueName, keepMs }: FinishOptions) {
  const { status, finishedAt, releaseKey, attempts, sequence, result, error } = settlement;
  if (!job.claim || !finishedAt || status === 'pending' || status === 'in_doubt') {
    throw new Error(`a volatile job cannot end as ${status}`);
  }
  const { userId, venueId } = ownersOf(job.payload);
  return {
    job_id: job.jobId,
    generation: job.generation,
    key: job.idempotencyKey,
    queue_name: queueName,
    job_type: job.type,
    status,
    live_key: releaseKey ? null : job.claim.liveKey,
    fingerprint: job.claim.fingerprint,
    request_key: job.claim.requestKey,
    request_source: job.source,
    request_id: job.requestId,
    correlation_id: job.correlationId ?? null,
    traceparent: job.traceparent ?? null,
    user_id: userId ?? null,
    venue_id: venueId ?? null,
    attempt_token: job.token,
    attempts,
    sequence,
    result,
    error,
    created_at: job.acceptedAt,
    started_at: job.startedAt,
    processed_at: finishedAt,
    expires_at: new Date(finishedAt.getTime() + keepMs),
  };
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

/** Up to `limit` jobs of a queue whose time has come. */
export async function readExpired(database: Queryable, queueName: string, limit: number): Promise<{ jobId: string }[]> {
  const rows = await database.query<{ job_id: string }>(
    { text: 'SELECT job_id FROM idempotency_keys WHERE queue_name = $1 AND expires_at <= now() LIMIT $2' },
    [queueName, limit],
  );
  return rows.map((row) => ({ jobId: row.job_id }));
}

/** Forgets jobs whose time has come, with their ledger and followers. */
export async function deleteExpired(database: Queryable, jobs: { jobId: string }[]): Promise<void> {
  await database.query(
    {
      text: `
        WITH expired AS (
          DELETE FROM idempotency_keys WHERE job_id = ANY($1::uuid[]) AND expires_at <= now() RETURNING job_id
        ), effects AS (
          DELETE FROM job_effects WHERE job_id IN (SELECT job_id FROM expired)
        )
        DELETE FROM job_followers WHERE job_id IN (SELECT job_id FROM expired)`,
    },
    [jobs.map(({ jobId }) => jobId)],
  );
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

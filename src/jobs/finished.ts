import type { Queryable, Transaction } from '../platform/postgres/database';
import { arrayOfJsonTexts, jsonTexts } from '../platform/postgres/json-texts';
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
  const rows = ends.map(toRow).sort((left, right) => (left.jobId < right.jobId ? -1 : 1));
  // A holder whose time is over, and which is not deleted yet, holds nothing any more.
  await tx.query(LET_GO, [rows.flatMap(({ liveKey }) => liveKey ?? [])]);
  const inserted = await tx.query<{ attempt_token: string }>(INSERT, [
    options.queueName,
    options.keepMs,
    rows.map((row) => row.jobId),
    rows.map((row) => row.generation),
    rows.map((row) => row.idempotencyKey),
    rows.map((row) => row.type),
    rows.map((row) => row.status),
    rows.map((row) => row.liveKey),
    rows.map((row) => row.fingerprint),
    rows.map((row) => row.requestKey),
    rows.map((row) => row.source),
    rows.map((row) => row.requestId),
    rows.map((row) => row.correlationId ?? null),
    rows.map((row) => row.traceparent ?? null),
    rows.map((row) => row.userId ?? null),
    rows.map((row) => row.venueId ?? null),
    rows.map((row) => row.token),
    rows.map((row) => row.attempts),
    rows.map((row) => row.sequence),
    jsonTexts(rows.map((row) => row.result)),
    jsonTexts(rows.map((row) => row.error)),
    rows.map((row) => row.acceptedAt),
    rows.map((row) => row.startedAt),
    rows.map((row) => row.finishedAt),
  ]);
  return new Set(inserted.map((row) => row.attempt_token));
}

function toRow({ job, settlement }: EndedAttempt) {
  const { status, finishedAt, releaseKey, attempts, sequence, result, error } = settlement;
  if (!job.claim || !finishedAt || status === 'pending' || status === 'in_doubt') {
    throw new Error(`a volatile job cannot end as ${status}`);
  }
  return {
    jobId: job.jobId,
    generation: job.generation,
    idempotencyKey: job.idempotencyKey,
    type: job.type,
    status,
    liveKey: releaseKey ? null : job.claim.liveKey,
    fingerprint: job.claim.fingerprint,
    requestKey: job.claim.requestKey,
    source: job.source,
    requestId: job.requestId,
    correlationId: job.correlationId,
    traceparent: job.traceparent,
    token: job.token,
    attempts,
    sequence,
    result: result === null ? null : JSON.stringify(result),
    error: error === null ? null : JSON.stringify(error),
    acceptedAt: job.acceptedAt.toISOString(),
    startedAt: job.startedAt?.toISOString() ?? null,
    finishedAt: finishedAt.toISOString(),
    ...ownersOf(job.payload),
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
    progress: 0,
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
    SELECT job_id, generation, key, $1, job_type, status,
      CASE WHEN EXISTS (SELECT FROM idempotency_keys held WHERE held.live_key = f.live_key) THEN NULL ELSE live_key END,
      fingerprint, request_key, request_source, request_id, correlation_id, traceparent, user_id, venue_id,
      attempt_token, attempts, sequence, result::jsonb, error::jsonb, created_at, started_at, processed_at,
      processed_at + $2::bigint * interval '1 millisecond'
    FROM unnest($3::uuid[], $4::integer[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::text[], $10::uuid[],
      $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::uuid[], $18::smallint[],
      $19::integer[], ${arrayOfJsonTexts('$20')}, ${arrayOfJsonTexts('$21')}, $22::timestamptz[], $23::timestamptz[],
      $24::timestamptz[])
      AS f (job_id, generation, key, job_type, status, live_key, fingerprint, request_key, request_source, request_id,
        correlation_id, traceparent, user_id, venue_id, attempt_token, attempts, sequence, result, error, created_at,
        started_at, processed_at)
    ON CONFLICT (job_id, generation) DO NOTHING
    RETURNING attempt_token`,
};

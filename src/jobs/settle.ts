import type { OutcomeError } from '../contract/outcome';
import type { Queryable, Transaction } from '../platform/postgres/database';
import { arrayOfJsonTexts, jsonTexts } from '../platform/postgres/json-texts';
import type { JobStatus } from './job';
import type { StartedJob } from './start';

/** How an attempt ends. `processing` never is an end. */
export interface Settlement {
  jobId: string;
  token: string;
  status: Exclude<JobStatus, 'processing'>;
  result: unknown;
  error: OutcomeError | null;
  /** For the timeline: a code, never free text from outside. */
  reason: string;
  /** Attempts spent so far, this one included when it counts. */
  attempts: number;
  /** Milliseconds until the next start, when the status is pending. */
  retryInMs: number;
  sequence: number;
  releaseKey: boolean;
  /** Set exactly when the status is terminal. */
  finishedAt: Date | undefined;
  /**
   * Nothing ran under the start, so it is taken back, with what it was counted for as a suspect's; what earlier starts
   * made the job suspect of stays. Otherwise the start is finished, and the job is no suspect any more.
   */
  takenBack: { suspectStarts: 0 | 1 } | undefined;
}

/** An attempt with how it ends. */
export interface EndedAttempt {
  job: StartedJob;
  settlement: Settlement;
}

export interface SettledJob {
  jobId: string;
  token: string;
  hasFollowers: boolean;
}

/**
 * Ends attempts, as part of the caller's transaction. A settlement that is missing in the answer was fenced: its token
 * is no longer the job's, or the job is not processing any more.
 */
export async function settleJobs(tx: Transaction, settlements: Settlement[]): Promise<SettledJob[]> {
  const sorted = [...settlements].sort((left, right) => (left.jobId < right.jobId ? -1 : 1));
  const rows = await tx.query<{ id: string; attempt_token: string; has_followers: boolean }>(SETTLE, [
    sorted.map((settlement) => settlement.jobId),
    sorted.map((settlement) => settlement.token),
    sorted.map((settlement) => settlement.status),
    jsonTexts(sorted.map(({ result }) => (result === null ? null : JSON.stringify(result)))),
    jsonTexts(sorted.map(({ error }) => (error === null ? null : JSON.stringify(error)))),
    sorted.map((settlement) => settlement.reason),
    sorted.map((settlement) => settlement.attempts),
    sorted.map((settlement) => settlement.retryInMs),
    sorted.map((settlement) => settlement.sequence),
    sorted.map((settlement) => settlement.releaseKey),
    sorted.map((settlement) => settlement.finishedAt?.toISOString() ?? null),
    sorted.map((settlement) => settlement.takenBack?.suspectStarts ?? null),
  ]);
  const settled = new Set(rows.map((row) => row.attempt_token));
  const fenced = sorted.filter(({ token }) => !settled.has(token));
  if (fenced.length > 0) await tx.query(FORGIVE, [fenced.map(({ jobId }) => jobId)]);
  return rows.map((row) => ({ jobId: row.id, token: row.attempt_token, hasFollowers: row.has_followers }));
}

/**
 * Whether the attempt with this token is the one that settled the job. Asked when a settlement was refused: if the
 * answer to an earlier COMMIT was lost, "my token, and not processing" means that it did commit.
 */
export async function wasSettledBy(database: Queryable, jobId: string, token: string): Promise<boolean> {
  const rows = await database.query<{ settled: boolean }>(
    { text: `SELECT attempt_token = $2 AND status <> 'processing' AS settled FROM critical_jobs WHERE id = $1` },
    [jobId, token],
  );
  return rows[0]?.settled ?? false;
}

/**
 * An attempt that has come to its end did not kill its process, though it was taken for dead and another one overtook it:
 * what that start was counted for is taken back.
 */
const FORGIVE = {
  text: `
    UPDATE critical_jobs SET suspect_starts = suspect_starts - 1
    WHERE id = ANY($1::uuid[]) AND status = 'processing' AND suspect_starts > 0`,
};

// The token stays in the row, so that its holder can recognise its own settlement afterwards.
const SETTLE = {
  name: 'jobs-settle',
  text: `
    UPDATE critical_jobs j SET
      status = s.status, result = s.result::jsonb, error = s.error::jsonb, reason = s.reason, attempts = s.attempts,
      run_at = CASE WHEN s.status = 'pending' THEN now() + s.retry_in_ms * interval '1 millisecond' ELSE j.run_at END,
      sequence = s.sequence,
      live_key = CASE WHEN s.release_key THEN NULL ELSE j.live_key END,
      finished_at = s.finished_at, updated_at = now(),
      starts = CASE WHEN s.taken_back IS NULL THEN j.starts ELSE j.starts - 1 END,
      finishes = CASE WHEN s.taken_back IS NULL THEN j.starts ELSE j.finishes END,
      suspect_starts = CASE WHEN s.taken_back IS NULL THEN 0 ELSE GREATEST(0, j.suspect_starts - s.taken_back) END
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], ${arrayOfJsonTexts('$4')}, ${arrayOfJsonTexts('$5')},
      $6::text[], $7::smallint[], $8::bigint[], $9::integer[], $10::boolean[], $11::timestamptz[], $12::smallint[])
      AS s (id, token, status, result, error, reason, attempts, retry_in_ms, sequence, release_key, finished_at,
        taken_back)
    WHERE j.id = s.id AND j.attempt_token = s.token AND j.status = 'processing'
    RETURNING j.id, j.attempt_token, j.has_followers`,
};

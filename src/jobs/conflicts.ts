import type { Transaction } from '../platform/postgres/database';
import { isTerminal, type JobRecord } from './job';
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

/** The job that a claim ran into, with what decides between redelivery, duplicate and conflict. */
export interface StandingJob extends JobRecord {
  requestKey: string;
  liveKey: string | undefined;
  fingerprint: string;
  queued: boolean;
}

interface StandingRow extends RecordRow {
  request_key: string;
  live_key: string | null;
  fingerprint: string;
  queued: boolean;
}

/**
 * Finds the jobs that hold any of these request identities or keys and locks their rows until the transaction ends, in
 * one order, so that a settle of the same job happens entirely before or entirely after the caller's answer.
 */
export async function lockStanding(tx: Transaction, requestKeys: string[], liveKeys: string[]): Promise<StandingJob[]> {
  const rows = await tx.query<StandingRow>(
    {
      name: 'jobs-lock-standing',
      text: `
        SELECT ${RECORD_COLUMNS}, j.request_key, j.live_key, j.fingerprint, j.queued
        FROM critical_jobs j
        WHERE j.request_key = ANY($1::uuid[]) OR j.live_key = ANY($2::uuid[])
        ORDER BY j.id FOR UPDATE`,
    },
    [requestKeys, liveKeys],
  );
  return rows.map((row) => ({
    ...toRecord(row),
    requestKey: row.request_key,
    liveKey: row.live_key ?? undefined,
    fingerprint: row.fingerprint,
    queued: row.queued,
  }));
}

/** Records who waits for a job that is not finished. The rows of these jobs are locked by the same transaction. */
export async function addFollowers(tx: Transaction, followers: Follower[]): Promise<void> {
  if (followers.length === 0) return;
  await tx.query(
    { text: 'UPDATE critical_jobs SET has_followers = true WHERE id = ANY($1::uuid[]) AND NOT has_followers' },
    [[...new Set(followers.map((follower) => follower.jobId))]],
  );
  await tx.query(
    {
      text: `
        INSERT INTO job_followers (job_id, request_key, request_id, request_source, correlation_id, traceparent)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])
        ON CONFLICT DO NOTHING`,
    },
    [
      followers.map((follower) => follower.jobId),
      followers.map((follower) => follower.requestKey),
      followers.map((follower) => follower.requestId),
      followers.map((follower) => follower.source),
      followers.map((follower) => follower.correlationId ?? null),
      followers.map((follower) => follower.traceparent ?? null),
    ],
  );
}

/** Takes out everybody who waited for these jobs; they are answered in the same transaction. */
export async function takeFollowers(tx: Transaction, jobIds: string[]): Promise<Follower[]> {
  const rows = await tx.query<{
    job_id: string;
    request_key: string;
    request_id: string;
    request_source: string;
    correlation_id: string | null;
    traceparent: string | null;
  }>({ text: 'DELETE FROM job_followers WHERE job_id = ANY($1::uuid[]) RETURNING *' }, [jobIds]);
  return rows.map((row) => ({
    jobId: row.job_id,
    requestKey: row.request_key,
    requestId: row.request_id,
    source: row.request_source,
    correlationId: row.correlation_id ?? undefined,
    traceparent: row.traceparent ?? undefined,
  }));
}

export function isUnfinished(job: JobRecord): boolean {
  return !isTerminal(job.status);
}

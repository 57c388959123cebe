import type { Transaction } from '../platform/postgres/database';
import type { JobRecord } from './job';
import { RECORD_COLUMNS, toRecord, type RecordRow } from './rows';

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
 * Finds the jobs that hold any of these request identities or keys, or are named, and locks their rows until the transaction ends, in
 * one order, so that a settle of the same job happens entirely before or entirely after the caller's answer.
 */
export async function lockStanding(
  tx: Transaction,
  requestKeys: string[],
  liveKeys: string[],
  jobIds: string[],
): Promise<StandingJob[]> {
  const rows = await tx.query<StandingRow>(
    {
      name: 'jobs-lock-standing',
      text: `
        SELECT ${RECORD_COLUMNS}, j.request_key, j.live_key, j.fingerprint, j.queued
        FROM critical_jobs j
        WHERE j.request_key = ANY($1::uuid[]) OR j.live_key = ANY($2::uuid[]) OR j.id = ANY($3::uuid[])
        ORDER BY j.id FOR UPDATE`,
    },
    [requestKeys, liveKeys, jobIds],
  );
  return rows.map((row) => ({
    ...toRecord(row),
    requestKey: row.request_key,
    liveKey: row.live_key ?? undefined,
    fingerprint: row.fingerprint,
    queued: row.queued,
  }));
}

import type { Transaction } from '../platform/postgres/database';
import type { JobRecord, JobStatus } from './job';
import { lockLines } from './ordering-keys';
import { RECORD_COLUMNS, toRecord, type RecordRow } from './rows';

export interface CancellableJob extends JobRecord {
  /** The ledger shows an effect that happened or may have: the job must end by what became of it. */
  effectBegun: boolean;
  hasFollowers: boolean;
}

/** Reads a job for a decision about it and locks its line and its row until the transaction ends. */
export async function lockForDecision(tx: Transaction, jobId: string): Promise<CancellableJob | undefined> {
  await lockLines(tx, [jobId]);
  const rows = await tx.query<RecordRow & { has_followers: boolean }>(
    { text: `SELECT ${RECORD_COLUMNS}, j.has_followers FROM critical_jobs j WHERE j.id = $1 FOR UPDATE` },
    [jobId],
  );
  const row = rows[0];
  if (!row) return undefined;
  // Asked after the lock is held: an effect that began while we waited for it must be seen.
  const begun = await tx.query<{ begun: boolean }>(
    { text: `SELECT EXISTS (SELECT FROM job_effects WHERE job_id = $1 AND state <> 'absent') AS begun` },
    [jobId],
  );
  return { ...toRecord(row), effectBegun: begun[0]?.begun ?? true, hasFollowers: row.has_followers };
}

/** Ends a waiting job; its row is locked by the same transaction. */
export async function cancelPending(tx: Transaction, jobId: string, reason: string, finishedAt: Date): Promise<void> {
  await expectOne(
    tx.query<{ status: JobStatus }>(
      {
        text: `
          UPDATE critical_jobs SET status = 'cancelled', live_key = NULL, reason = $2, finished_at = $3,
            sequence = sequence + 1, updated_at = now()
          WHERE id = $1 AND status = 'pending' RETURNING status`,
      },
      [jobId, reason, finishedAt],
    ),
  );
}

/** Asks a running job to stop before its next effect; its row is locked by the same transaction. */
export async function requestCancel(tx: Transaction, jobId: string): Promise<void> {
  await expectOne(
    tx.query<{ status: JobStatus }>(
      { text: 'UPDATE critical_jobs SET cancel_requested = true, updated_at = now() WHERE id = $1 RETURNING status' },
      [jobId],
    ),
  );
}

async function expectOne(rows: Promise<{ status: JobStatus }[]>): Promise<void> {
  if ((await rows).length !== 1) throw new Error('a locked job changed under its lock');
}

import type { Transaction } from '../platform/postgres/database';

/**
 * Makes a failed job pending again as its next generation; its row is locked by the same transaction. It waits in
 * PostgreSQL (`queued = false`) and is fed to Redis like every other job that waits there.
 * @throws a unique violation when a later job holds the key
 */
export async function replayFailed(tx: Transaction, jobId: string, liveKey: string, reason: string): Promise<void> {
  await tx.query(
    {
      text: `
        UPDATE critical_jobs SET status = 'pending', generation = generation + 1, dispatch = 1, queued = false,
          attempts = 0, finishes = starts, suspect_starts = 0, cancel_requested = false, expires_at = NULL,
          live_key = $2, result = NULL, error = NULL, reason = $3, run_at = now(), started_at = NULL,
          finished_at = NULL, updated_at = now()
        WHERE id = $1 AND status = 'failed'`,
    },
    [jobId, liveKey, reason],
  );
}

/** What the key of a job is made of, to take it again. */
export async function readKeyParts(
  tx: Transaction,
  jobId: string,
): Promise<{ jobType: string; keyScope: string; idempotencyKey: string } | undefined> {
  const rows = await tx.query<{ job_type: string; key_scope: string; idempotency_key: string }>(
    { text: 'SELECT job_type, key_scope, idempotency_key FROM critical_jobs WHERE id = $1' },
    [jobId],
  );
  return rows.map((row) => ({
    jobType: row.job_type,
    keyScope: row.key_scope,
    idempotencyKey: row.idempotency_key,
  }))[0];
}

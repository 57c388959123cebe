import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { uuidV7 } from '../../src/platform/ids';

/** A money job of the past, as the records have it. */
export interface PastJob {
  type: 'payment-process' | 'refund-process' | 'payout-process';
  status: 'completed' | 'failed' | 'in_doubt' | 'pending';
  acceptedAt: string;
  venueId: string;
  amount: number;
  currency: string;
  /** What its result says beside the amount. */
  details?: Record<string, unknown>;
  /** What the ledger says; none where it is empty. */
  effect?: { state: string; amount: number };
}

export const pastPayment = (over: Partial<PastJob> = {}): PastJob => ({
  type: 'payment-process',
  status: 'completed',
  acceptedAt: '2026-01-15T10:00:00Z',
  venueId: randomUUID(),
  amount: 12_345,
  currency: 'USD',
  details: { provider: 'stripe', chargeId: 'ch_1' },
  ...over,
});

const EFFECTS = { 'payment-process': 'charge', 'refund-process': 'refund', 'payout-process': 'payout' };

/** Writes it down as if it had been run long ago; answers with its id. */
export async function insertPast(pool: Pool, job: PastJob): Promise<string> {
  const { type, status, acceptedAt, venueId, amount, currency, details = {}, effect } = job;
  const id = uuidV7(Date.parse(acceptedAt));
  const payload = { venueId, amount, currency };
  const finished = status === 'completed' || status === 'failed';
  await pool.query(
    `INSERT INTO critical_jobs (id, queue_name, job_type, status, priority, data, idempotency_key, key_scope, fingerprint,
       request_key, request_source, request_id, queued, max_attempts, timeout_ms, run_at, result, created_at, finished_at)
     VALUES ($1::uuid, 'money-queue', $2, $3, 10, $4, $1::uuid::text, '/test', '1:test', $1::uuid, '/test', $1::uuid::text, true, 10, 1000, $5, $6, $5, $7)`,
    [
      id,
      type,
      status,
      payload,
      acceptedAt,
      status === 'completed' ? { amount, currency, ...details } : null,
      finished ? acceptedAt : null,
    ],
  );
  if (effect) {
    await pool.query(
      `INSERT INTO job_effects (job_id, name, number, generation, provider_key, intent, state, deadline, reference, value,
         attempt_token)
       VALUES ($1::uuid, $2, 1, 1, $1::uuid::text, '{}', $3, now(), 'ref_1', $4, $1::uuid)`,
      [id, EFFECTS[type], effect.state, { amount: effect.amount, currency }],
    );
  }
  return id;
}

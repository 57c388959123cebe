import type { OutcomeError } from '../contract/outcome';
import type { Queryable, Transaction } from '../platform/postgres/database';
import type { EffectState } from './effects';

/** An effect of a job in doubt, as the person who decides about it sees it. */
export interface DoubtfulEffect {
  name: string;
  number: number;
  /** In the metadata of what the provider did, if it did anything. */
  providerKey: string;
  intent: Record<string, unknown>;
  state: EffectState;
  reference: string | undefined;
  /** What the job's handler has to know of it, where it happened. */
  value: unknown;
  begunAt: Date;
  /** Milliseconds until its latest call is certainly over; 0 when it is. */
  overInMs: number;
}

/** What became of an effect, by a person's word. */
export interface EffectVerdict {
  /** What the ledger had of it: nothing certain, or that it happened and nothing that the handler can read. */
  instead: 'uncertain' | 'unreadable';
  name: string;
  number: number;
  state: 'done' | 'absent';
  reference: string | undefined;
  value: unknown;
}

/** What becomes of the job once nothing about it is uncertain. */
export type NextStep = 'retry' | 'fail';

export interface JobDecision {
  jobId: string;
  generation: number;
  /** Undefined where the ledger left nothing open. */
  verdict: EffectVerdict | undefined;
  next: NextStep;
  by: string;
  reason: string;
}

/** A decision that was made. */
export interface MadeDecision extends Pick<JobDecision, 'generation' | 'next' | 'by' | 'reason'> {
  effect: string | undefined;
  happened: boolean | undefined;
  reference: string | undefined;
  at: Date;
}

/** Of the jobs in doubt, in the timeline. */
export const BY_HAND = 'BY_HAND';

/** The ledger of a job, by name and number. */
export async function readDoubtfulEffects(database: Queryable, jobId: string): Promise<DoubtfulEffect[]> {
  const rows = await database.query<{
    name: string;
    number: number;
    provider_key: string;
    intent: Record<string, unknown>;
    state: EffectState;
    reference: string | null;
    value: unknown;
    created_at: Date;
    over_in_ms: number;
  }>(
    {
      text: `
        SELECT name, number, provider_key, intent, state, reference, value, created_at,
          GREATEST(0, EXTRACT(epoch FROM deadline - now()) * 1000)::float8 AS over_in_ms
        FROM job_effects WHERE job_id = $1 ORDER BY name, number`,
    },
    [jobId],
  );
  return rows.map((row) => ({
    name: row.name,
    number: row.number,
    providerKey: row.provider_key,
    intent: row.intent,
    state: row.state,
    reference: row.reference ?? undefined,
    value: row.value,
    begunAt: row.created_at,
    overInMs: Math.ceil(row.over_in_ms),
  }));
}

const STATES_INSTEAD = { uncertain: ['started', 'in_doubt'], unreadable: ['done'] } as const;

/**
 * Writes a person's word into the ledger; the job's row is locked by the same transaction. What is known already, and can
 * be read, is not touched. The attempt that left the job in doubt loses its token: it may still be writing what it knew, and must not
 * make uncertain again what has been decided.
 */
export async function recordVerdict(tx: Transaction, jobId: string, verdict: EffectVerdict): Promise<void> {
  const { name, number, instead, state, reference, value } = verdict;
  const rows = await tx.query(
    {
      text: `
        WITH fenced AS (UPDATE critical_jobs SET attempt_token = NULL WHERE id = $1)
        UPDATE job_effects SET state = $4, reference = COALESCE($5, reference), value = $6::jsonb, updated_at = now()
        WHERE job_id = $1 AND name = $2 AND number = $3 AND state = ANY($7)
        RETURNING name`,
    },
    [
      jobId,
      name,
      number,
      state,
      reference ?? null,
      value === undefined ? null : JSON.stringify(value),
      STATES_INSTEAD[instead],
    ],
  );
  if (rows.length !== 1) throw new Error('an effect became known under the lock of its job');
}

export async function recordDecision(tx: Transaction, decision: JobDecision): Promise<void> {
  const { jobId, generation, verdict, next, by, reason } = decision;
  await tx.query(
    {
      text: `
        INSERT INTO job_decisions (job_id, generation, effect, number, happened, reference, next, decided_by, reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    },
    [
      jobId,
      generation,
      verdict?.name ?? null,
      verdict?.number ?? null,
      verdict ? verdict.state === 'done' : null,
      verdict?.reference ?? null,
      next,
      by,
      reason,
    ],
  );
}

/** What people decided about a job, oldest first. */
export async function readDecisions(database: Queryable, jobId: string): Promise<MadeDecision[]> {
  const rows = await database.query<{
    generation: number;
    effect: string | null;
    happened: boolean | null;
    reference: string | null;
    next: NextStep;
    decided_by: string;
    reason: string;
    decided_at: Date;
  }>(
    {
      text: `
        SELECT generation, effect, happened, reference, next, decided_by, reason, decided_at
        FROM job_decisions WHERE job_id = $1 ORDER BY id`,
    },
    [jobId],
  );
  return rows.map((row) => ({
    generation: row.generation,
    effect: row.effect ?? undefined,
    happened: row.happened ?? undefined,
    reference: row.reference ?? undefined,
    next: row.next,
    by: row.decided_by,
    reason: row.reason,
    at: row.decided_at,
  }));
}

/**
 * Has a job in doubt run again, with all its attempts and all the time that it may wait; its row is locked by the same
 * transaction. It had started in time, and does not expire any more. A cancellation that was asked for stays asked for.
 */
export async function reopenByHand(tx: Transaction, jobId: string): Promise<void> {
  await tx.query(
    {
      text: `
        UPDATE critical_jobs SET status = 'pending', queued = false, run_at = now(), attempts = 0, error = NULL,
          started_at = NULL, expires_at = NULL, reason = $2, updated_at = now()
        WHERE id = $1`,
    },
    [jobId, BY_HAND],
  );
}

/** Ends a job in doubt as failed, for a reason that its timeline tells; its row is locked by the same transaction. */
export async function failByHand(
  tx: Transaction,
  jobId: string,
  end: { error: OutcomeError; sequence: number; releaseKey: boolean; finishedAt: Date; reason: string },
): Promise<void> {
  await tx.query(
    {
      text: `
        UPDATE critical_jobs SET status = 'failed', error = $2::jsonb, sequence = $3,
          live_key = CASE WHEN $4 THEN NULL ELSE live_key END, finished_at = $5, reason = $6, updated_at = now()
        WHERE id = $1`,
    },
    [jobId, JSON.stringify(end.error), end.sequence, end.releaseKey, end.finishedAt, end.reason],
  );
}

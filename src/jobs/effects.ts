import type { Queryable } from '../platform/postgres/database';

/** started: may have happened · done: happened · absent: certainly did not · in_doubt: its key can tell nothing more. */
export type EffectState = 'started' | 'done' | 'absent' | 'in_doubt';

export interface EffectEntry {
  name: string;
  number: number;
  providerKey: string;
  state: EffectState;
  /** How often it was begun. */
  calls: number;
  reference: string | undefined;
  value: unknown;
  /** Milliseconds since the effect was first begun under its key. */
  ageMs: number;
  /** Milliseconds since its latest call was certainly over; negative while it may still be under way. */
  overForMs: number;
}

export interface EffectStart {
  jobId: string;
  token: string;
  name: string;
  number: number;
  generation: number;
  providerKey: string;
  intent: Record<string, unknown>;
  timeoutMs: number;
  /** How often it was begun before, as far as this attempt knows. */
  callsBefore: number;
}

/** `fenced`: the job is somebody else's now. `cancelled`: its end was asked for before this effect began. */
export type EffectStartAnswer = 'begun' | 'fenced' | 'cancelled';

/** What became of an effect. Facts are kept whoever reports them; only the token's holder may say that it is absent. */
export interface EffectFact {
  jobId: string;
  token: string;
  name: string;
  number: number;
  state: Exclude<EffectState, 'started'>;
  reference: string | undefined;
  value: unknown;
}

/** The ledger of a job, oldest first. */
export async function readEffects(database: Queryable, jobId: string): Promise<EffectEntry[]> {
  const rows = await database.query<EffectRow>(READ, [jobId]);
  return rows.map((row) => ({
    name: row.name,
    number: row.number,
    providerKey: row.provider_key,
    state: row.state,
    calls: row.calls,
    reference: row.reference ?? undefined,
    value: row.value,
    ageMs: row.age_ms,
    overForMs: row.over_for_ms,
  }));
}

/**
 * Commits that effects are about to be tried, before anything is sent. Takes the jobs' row locks, so that a cancellation
 * comes either before (and is obeyed) or after (and the effect decides). Once an effect of the job may have happened
 * it is too late: the job ends as its effects do.
 */
export async function beginEffects(database: Queryable, starts: EffectStart[]): Promise<EffectStartAnswer[]> {
  const rows = await database.query<{ token: string; name: string; mine: boolean; cancelled: boolean }>(
    BEGIN,
    startColumns(starts),
  );
  // By token: two attempts of one job may meet in a batch, and only one of them holds it.
  const byAttempt = new Map(rows.map((row) => [`${row.token}:${row.name}`, row]));
  return starts.map(({ token, name }) => {
    const row = byAttempt.get(`${token}:${name}`);
    if (!row?.mine) return 'fenced';
    return row.cancelled ? 'cancelled' : 'begun';
  });
}

/** Appends facts; what is known to be done never changes again. */
export async function appendEffectFacts(database: Queryable, facts: EffectFact[]): Promise<void> {
  if (facts.length === 0) return;
  await database.query(APPEND, factColumns(facts));
}

/** Starts as the arrays that statements `unnest`, in every tier. */
export function startColumns(starts: EffectStart[]): unknown[][] {
  return [
    starts.map((start) => start.jobId),
    starts.map((start) => start.token),
    starts.map((start) => start.name),
    starts.map((start) => start.number),
    starts.map((start) => start.generation),
    starts.map((start) => start.providerKey),
    starts.map((start) => JSON.stringify(start.intent)),
    starts.map((start) => start.timeoutMs),
  ];
}

/** Facts as the arrays that statements `unnest`, in every tier. */
export function factColumns(facts: EffectFact[]): unknown[][] {
  return [
    facts.map((fact) => fact.jobId),
    facts.map((fact) => fact.token),
    facts.map((fact) => fact.name),
    facts.map((fact) => fact.number),
    facts.map((fact) => fact.state),
    facts.map((fact) => fact.reference ?? null),
    facts.map((fact) => (fact.value === undefined ? null : JSON.stringify(fact.value))),
  ];
}

interface EffectRow {
  name: string;
  number: number;
  provider_key: string;
  state: EffectState;
  calls: number;
  reference: string | null;
  value: unknown;
  age_ms: number;
  over_for_ms: number;
}

const READ = {
  name: 'effects-read',
  text: `
    SELECT name, number, provider_key, state, calls, reference, value,
      (EXTRACT(epoch FROM now() - created_at) * 1000)::float8 AS age_ms,
      (EXTRACT(epoch FROM now() - deadline) * 1000)::float8 AS over_for_ms
    FROM job_effects WHERE job_id = $1 ORDER BY name, number`,
};

const BEGIN = {
  name: 'effects-begin',
  text: `
    WITH wanted AS (
      SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::integer[], $5::integer[], $6::text[], $7::text[],
        $8::integer[]) AS w (job_id, token, name, number, generation, provider_key, intent, timeout_ms)
    ), locked AS (
      SELECT j.id, j.attempt_token, j.status, j.cancel_requested FROM critical_jobs j
      WHERE j.id IN (SELECT job_id FROM wanted) ORDER BY j.id FOR UPDATE
    ), judged AS (
      SELECT w.*, l.attempt_token = w.token AND l.status = 'processing' AS mine,
        l.cancel_requested AND NOT EXISTS (
          SELECT FROM job_effects e
          WHERE e.job_id = w.job_id AND e.state <> 'absent'
        ) AS cancelled
      FROM wanted w JOIN locked l ON l.id = w.job_id
    ), begun AS (
      INSERT INTO job_effects AS e (job_id, name, number, generation, provider_key, intent, state, deadline, attempt_token)
      SELECT job_id, name, number, generation, provider_key, intent::jsonb, 'started',
        now() + timeout_ms * interval '1 millisecond', token
      FROM judged WHERE mine AND NOT cancelled
      ON CONFLICT (job_id, name, number) DO UPDATE
        SET deadline = GREATEST(e.deadline, EXCLUDED.deadline), attempt_token = EXCLUDED.attempt_token,
            calls = e.calls + 1, updated_at = now()
        WHERE e.state <> 'done'
    )
    SELECT token, name, mine, cancelled FROM judged`,
};

// The job's token, not the effect's: an effect that an earlier attempt began is found absent by the one that looks. The
// job's row is locked first, as everywhere: nobody can take it over, and ask again, between the look and the change.
const APPEND = {
  name: 'effects-append',
  text: `
    WITH fact AS (
      SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[])
        AS f (job_id, token, name, number, state, reference, value)
    ), job AS (
      SELECT j.id, j.attempt_token FROM critical_jobs j
      WHERE j.id IN (SELECT job_id FROM fact) ORDER BY j.id FOR NO KEY UPDATE
    )
    UPDATE job_effects e SET state = f.state, reference = COALESCE(f.reference, e.reference), value = f.value::jsonb,
      updated_at = now()
    FROM fact f JOIN job ON job.id = f.job_id
    WHERE e.job_id = f.job_id AND e.name = f.name AND e.number = f.number
      AND e.state <> 'done' AND (f.state = 'done' OR job.attempt_token = f.token)`,
};

import type { Queryable } from '../../platform/postgres/database';
import { UnavailableError } from '../../platform/unavailable';
import { factColumns, startColumns, type EffectFact, type EffectStart, type EffectStartAnswer } from '../effects';
import type { VolatileJobs } from './store';

/**
 * Commits to the ledger that effects of volatile jobs are about to be tried. Who may is for the jobs' Redis to say; the
 * ledger itself is PostgreSQL's in every tier, since what was sent must not be forgotten with a snapshot.
 *
 * Nothing locks the two together: another attempt may take the job over after Redis was asked, or Redis may have lost who
 * holds it. So the ledger lets only him begin who knows of everybody who began before, and nobody once the job has ended.
 */
export async function beginVolatileEffects(
  open: VolatileJobs,
  database: Queryable,
  starts: EffectStart[],
): Promise<EffectStartAnswer[]> {
  const held = await whoHolds(open, starts);
  const mine = starts.filter((_, index) => held[index]);
  if (mine.length === 0) return starts.map(() => 'fenced');
  const rows = await database.query<{ attempt_token: string; name: string }>(BEGIN, [
    ...startColumns(mine),
    mine.map(({ callsBefore }) => callsBefore),
  ]);
  const begun = new Set(rows.map((row) => `${row.attempt_token}:${row.name}`));
  return starts.map(({ token, name }) => (begun.has(`${token}:${name}`) ? 'begun' : 'fenced'));
}

async function whoHolds(open: VolatileJobs, starts: EffectStart[]): Promise<boolean[]> {
  try {
    return await open.holds(starts);
  } catch (error) {
    throw new UnavailableError('the Redis of the jobs did not tell who holds them', { cause: error });
  }
}

/** Appends facts; what is known to be done never changes again, and only who began an effect last finds it absent. */
export async function appendVolatileFacts(database: Queryable, facts: EffectFact[]): Promise<void> {
  if (facts.length === 0) return;
  await database.query(APPEND, factColumns(facts));
}

const BEGIN = {
  name: 'volatile-effects-begin',
  text: `
    INSERT INTO job_effects AS e (job_id, name, number, generation, provider_key, intent, state, deadline, attempt_token,
      calls)
    SELECT DISTINCT ON (job_id, name, number) job_id, name, number, generation, provider_key, intent::jsonb, 'started',
      now() + timeout_ms * interval '1 millisecond', token, calls_before + 1
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::integer[], $5::integer[], $6::text[], $7::text[], $8::integer[],
      $9::integer[])
      AS w (job_id, token, name, number, generation, provider_key, intent, timeout_ms, calls_before)
    WHERE NOT EXISTS (SELECT FROM idempotency_keys k WHERE k.job_id = w.job_id)
    ON CONFLICT (job_id, name, number) DO UPDATE
      SET deadline = GREATEST(e.deadline, EXCLUDED.deadline), attempt_token = EXCLUDED.attempt_token,
          calls = EXCLUDED.calls, updated_at = now()
      WHERE e.state <> 'done' AND e.calls = EXCLUDED.calls - 1
    RETURNING attempt_token, name`,
};

const APPEND = {
  name: 'volatile-effects-append',
  text: `
    UPDATE job_effects e SET state = f.state, reference = COALESCE(f.reference, e.reference), value = f.value::jsonb,
      updated_at = now()
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[])
      AS f (job_id, token, name, number, state, reference, value)
    WHERE e.job_id = f.job_id AND e.name = f.name AND e.number = f.number
      AND e.state <> 'done' AND (f.state = 'done' OR e.attempt_token = f.token)`,
};

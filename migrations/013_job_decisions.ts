import type { Knex } from 'knex';

/**
 * What people decided about jobs in doubt, for ever: who, when, why, and by which reference of the provider. Append-only.
 * `effect` is null where the ledger left nothing open and only the job waited for a person.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE job_decisions (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      job_id uuid NOT NULL REFERENCES critical_jobs (id) ON DELETE CASCADE,
      generation integer NOT NULL,
      effect text,
      number integer,
      happened boolean,
      reference text,
      next text NOT NULL CHECK (next IN ('retry', 'fail')),
      decided_by text NOT NULL,
      reason text NOT NULL,
      decided_at timestamptz NOT NULL DEFAULT now(),
      CHECK ((effect IS NULL) = (happened IS NULL) AND (effect IS NULL) = (number IS NULL)),
      CHECK ((happened IS TRUE) = (reference IS NOT NULL))
    );
    CREATE INDEX job_decisions_job ON job_decisions (job_id);
    COMMENT ON COLUMN job_decisions.next IS 'what was to become of the job; it stays in doubt while another effect is uncertain';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE job_decisions;');
}

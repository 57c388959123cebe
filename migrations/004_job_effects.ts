import type { Knex } from 'knex';

/**
 * The ledger of effects outside. A row is committed before a provider is called and says what became of it:
 * started (may have happened), done, absent (certainly did not), in_doubt (asking again with its key cannot tell).
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE job_effects (
      job_id uuid NOT NULL REFERENCES critical_jobs (id) ON DELETE CASCADE,
      name text NOT NULL,
      number integer NOT NULL,
      generation integer NOT NULL,
      provider_key text NOT NULL,
      intent jsonb NOT NULL,
      state text NOT NULL CHECK (state IN ('started', 'done', 'absent', 'in_doubt')),
      calls integer NOT NULL DEFAULT 1,
      deadline timestamptz NOT NULL,
      reference text,
      value jsonb,
      attempt_token uuid NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (job_id, name, number)
    );
    COMMENT ON COLUMN job_effects.deadline IS 'the call is aborted by then; only afterwards does "not found" mean absent';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE job_effects;');
}

import type { Knex } from 'knex';

/**
 * What could not be accepted, or gave up. The body is kept as bytes: jsonb would refuse the very inputs that land here.
 * `starts` counts how often a message was begun that may have killed its process.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE dead_letter_jobs (
      id uuid PRIMARY KEY,
      kind text NOT NULL CHECK (kind IN ('rejected', 'gave_up', 'poison', 'broker')),
      dedupe_key uuid NOT NULL UNIQUE,
      job_id uuid,
      request_key uuid,
      queue_name text NOT NULL,
      job_type text NOT NULL,
      code text NOT NULL,
      errors jsonb NOT NULL,
      body bytea,
      body_sha256 text,
      seen integer NOT NULL DEFAULT 1,
      starts integer NOT NULL DEFAULT 0,
      created_at timestamptz NOT NULL DEFAULT now(),
      last_seen_at timestamptz NOT NULL DEFAULT now(),
      replayed_at timestamptz,
      replay_of uuid
    );
    CREATE INDEX dead_letter_jobs_job ON dead_letter_jobs (job_id) WHERE job_id IS NOT NULL;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE dead_letter_jobs;');
}

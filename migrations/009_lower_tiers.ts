import type { Knex } from 'knex';

/**
 * What PostgreSQL remembers of communication and background jobs: nothing while they are open (their own Redis does),
 * and their end for as long as their key is held. The row is what makes a terminal outcome happen once per job and
 * generation, and what a duplicate is answered from. The ledger and the followers serve all tiers from here on.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE idempotency_keys (
      job_id uuid NOT NULL,
      generation integer NOT NULL,
      key text NOT NULL,
      queue_name text NOT NULL,
      job_type text NOT NULL,
      status text NOT NULL CHECK (status IN ('completed', 'failed', 'cancelled')),
      live_key uuid,
      fingerprint text NOT NULL,
      request_key uuid NOT NULL,
      request_source text NOT NULL,
      request_id text NOT NULL,
      correlation_id text,
      traceparent text,
      user_id text,
      venue_id text,
      attempt_token uuid NOT NULL,
      attempts smallint NOT NULL,
      sequence integer NOT NULL,
      result jsonb,
      error jsonb,
      created_at timestamptz NOT NULL,
      started_at timestamptz,
      processed_at timestamptz NOT NULL,
      expires_at timestamptz NOT NULL,
      PRIMARY KEY (job_id, generation)
    );
    CREATE UNIQUE INDEX idempotency_keys_live_key ON idempotency_keys (live_key) WHERE live_key IS NOT NULL;
    CREATE INDEX idempotency_keys_request_key ON idempotency_keys (request_key);
    CREATE INDEX idempotency_keys_expires_at ON idempotency_keys (expires_at);
    COMMENT ON COLUMN idempotency_keys.live_key IS 'digest of (type, scope, key) while the key is held; null once it was released';

    CREATE TABLE queue_counts (
      queue_name text NOT NULL,
      instance text NOT NULL,
      accepted bigint NOT NULL DEFAULT 0,
      ended bigint NOT NULL DEFAULT 0,
      PRIMARY KEY (queue_name, instance)
    );
    COMMENT ON TABLE queue_counts IS 'jobs of a lower tier, counted by each process: accepted - ended - open = lost with their Redis';

    ALTER TABLE job_effects DROP CONSTRAINT job_effects_job_id_fkey;
    ALTER TABLE job_followers DROP CONSTRAINT job_followers_job_id_fkey;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    DELETE FROM job_followers f WHERE NOT EXISTS (SELECT FROM critical_jobs j WHERE j.id = f.job_id);
    DELETE FROM job_effects e WHERE NOT EXISTS (SELECT FROM critical_jobs j WHERE j.id = e.job_id);
    ALTER TABLE job_followers ADD CONSTRAINT job_followers_job_id_fkey
      FOREIGN KEY (job_id) REFERENCES critical_jobs (id) ON DELETE CASCADE;
    ALTER TABLE job_effects ADD CONSTRAINT job_effects_job_id_fkey
      FOREIGN KEY (job_id) REFERENCES critical_jobs (id) ON DELETE CASCADE;
    DROP TABLE queue_counts;
    DROP TABLE idempotency_keys;
  `);
}

import type { Knex } from 'knex';

/**
 * The record of truth for money jobs.
 *
 * `live_key` is what makes a key held: a digest of (type, scope, key) while the job is live, null once the key is
 * released. A plain unique index over it, instead of a partial one over `status`, lets the two hot updates (start, and
 * retry) stay within their page: no index covers a column that they change. For the same reason open jobs are indexed by
 * `finished_at IS NULL`, which changes once, at the end.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE critical_jobs (
      id uuid PRIMARY KEY,
      queue_name text NOT NULL,
      job_type text NOT NULL,
      status text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled', 'in_doubt')),
      priority smallint NOT NULL,
      data jsonb NOT NULL,
      idempotency_key text NOT NULL,
      key_scope text NOT NULL,
      live_key uuid,
      fingerprint text NOT NULL,
      request_key uuid NOT NULL,
      request_source text NOT NULL,
      request_id text NOT NULL,
      correlation_id text,
      traceparent text,
      generation integer NOT NULL DEFAULT 1,
      dispatch integer NOT NULL DEFAULT 1,
      queued boolean NOT NULL,
      attempts smallint NOT NULL DEFAULT 0,
      max_attempts smallint NOT NULL,
      timeout_ms integer NOT NULL,
      starts integer NOT NULL DEFAULT 0,
      finishes integer NOT NULL DEFAULT 0,
      suspect_starts integer NOT NULL DEFAULT 0,
      attempt_token uuid,
      sequence integer NOT NULL DEFAULT 0,
      cancel_requested boolean NOT NULL DEFAULT false,
      has_followers boolean NOT NULL DEFAULT false,
      run_at timestamptz NOT NULL,
      expires_at timestamptz,
      result jsonb,
      error jsonb,
      worker text,
      reason text,
      created_at timestamptz NOT NULL DEFAULT now(),
      started_at timestamptz,
      finished_at timestamptz,
      updated_at timestamptz NOT NULL DEFAULT now(),
      CHECK ((finished_at IS NOT NULL) = (status IN ('completed', 'failed', 'cancelled')))
    ) WITH (fillfactor = 70);

    CREATE UNIQUE INDEX critical_jobs_live_key ON critical_jobs (live_key);
    CREATE UNIQUE INDEX critical_jobs_request_key ON critical_jobs (request_key);
    CREATE INDEX critical_jobs_open ON critical_jobs (id) WHERE finished_at IS NULL;
    CREATE INDEX critical_jobs_not_queued ON critical_jobs (priority DESC, created_at)
      WHERE NOT queued AND finished_at IS NULL;

    COMMENT ON COLUMN critical_jobs.queued IS 'true once handed to Redis; false rows wait here for room in the window';
    COMMENT ON COLUMN critical_jobs.dispatch IS 'raised when the job is handed to Redis again, so that an add is never swallowed';
    COMMENT ON COLUMN critical_jobs.suspect_starts IS 'starts made as the only suspect of a process, none of which finished';

    CREATE TABLE job_followers (
      job_id uuid NOT NULL REFERENCES critical_jobs (id) ON DELETE CASCADE,
      request_key uuid NOT NULL,
      request_id text NOT NULL,
      request_source text NOT NULL,
      correlation_id text,
      traceparent text,
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (job_id, request_key)
    );
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE job_followers; DROP TABLE critical_jobs;');
}

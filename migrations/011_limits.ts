import type { Knex } from 'knex';

/**
 * What operators set for the limits of provider accounts, and what those limits looked like over time. Their state itself
 * is in the limiter's Redis. A row of `*` stands for all limiters.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE rate_limit_overrides (
      name text PRIMARY KEY,
      per_second double precision CHECK (per_second > 0 AND per_second <= 1000000),
      max_concurrent integer CHECK (max_concurrent > 0),
      burst_size integer CHECK (burst_size > 0),
      cooldown_ms integer CHECK (cooldown_ms >= 0),
      stopped boolean NOT NULL DEFAULT false,
      changed_by text NOT NULL,
      reason text NOT NULL,
      changed_at timestamptz NOT NULL DEFAULT now()
    );
    COMMENT ON COLUMN rate_limit_overrides.per_second IS 'null, here and in the next three: as configured';

    CREATE TABLE rate_limit_metrics (
      service_name text NOT NULL,
      tokens_available integer NOT NULL,
      concurrent_requests integer NOT NULL,
      max_concurrent integer NOT NULL,
      waiting_jobs integer NOT NULL,
      captured_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX rate_limit_metrics_captured_at ON rate_limit_metrics (captured_at);

    CREATE TABLE provider_circuits (
      name text PRIMARY KEY,
      open boolean NOT NULL,
      changed_at timestamptz NOT NULL DEFAULT now()
    );
    COMMENT ON TABLE provider_circuits IS 'what was last told to the world; the state itself is in the limiter''s Redis';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    DROP TABLE provider_circuits;
    DROP TABLE rate_limit_metrics;
    DROP TABLE rate_limit_overrides;
  `);
}

import type { Knex } from 'knex';

/**
 * Who is called back about which outcomes, and what became of each call. Secrets are not kept: they are derived from the
 * configuration's, by `secret_version`. A delivery outlives its subscription, whose end must not wait for it.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE webhook_subscriptions (
      id uuid PRIMARY KEY,
      url text NOT NULL,
      job_types text[] NOT NULL,
      outcomes text[] NOT NULL,
      created_by text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      secret_version integer NOT NULL DEFAULT 1,
      previous_secret_until timestamptz,
      disabled_at timestamptz,
      disabled_reason text,
      CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL))
    );
    COMMENT ON COLUMN webhook_subscriptions.job_types IS 'empty, as outcomes: all';
    COMMENT ON COLUMN webhook_subscriptions.previous_secret_until IS 'until then the secret before this one signs as well';

    CREATE TABLE webhook_deliveries (
      subscription_id uuid NOT NULL,
      event_id uuid NOT NULL,
      job_type text NOT NULL,
      outcome text NOT NULL,
      body text,
      state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
      attempts integer NOT NULL DEFAULT 0,
      last_answer text,
      last_attempt_at timestamptz,
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (subscription_id, event_id)
    );
    CREATE INDEX webhook_deliveries_created_at ON webhook_deliveries (created_at);
    COMMENT ON COLUMN webhook_deliveries.body IS 'null once it was delivered';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE webhook_deliveries; DROP TABLE webhook_subscriptions;');
}

import type { Knex } from 'knex';

/**
 * What happened on the platform, event by event, and counted by minute and by day (UTC).
 *
 * A person appears in `analytics_events` alone (`user_id`, and what `properties` may say): erasing somebody leaves the
 * rollups as they are. The id is the job's, so that a job that runs twice writes once.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE analytics_events (
      id uuid PRIMARY KEY,
      event_type text NOT NULL,
      venue_id uuid,
      user_id uuid,
      event_id uuid,
      occurred_at timestamptz NOT NULL,
      amount bigint,
      properties jsonb NOT NULL,
      received_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX analytics_events_venue ON analytics_events (venue_id, occurred_at);
    CREATE INDEX analytics_events_user ON analytics_events (user_id) WHERE user_id IS NOT NULL;

    CREATE TABLE analytics_rollups (
      venue text NOT NULL,
      granularity text NOT NULL CHECK (granularity IN ('minute', 'day')),
      event_type text NOT NULL,
      period_start timestamptz NOT NULL,
      events bigint NOT NULL,
      amounts bigint NOT NULL,
      amount_sum numeric NOT NULL,
      updated_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (venue, granularity, event_type, period_start)
    ) WITH (fillfactor = 70);

    COMMENT ON COLUMN analytics_events.user_id IS 'personal: cleared, with properties, when the user is erased';
    COMMENT ON COLUMN analytics_rollups.venue IS 'the venue''s id, or global for events without one';
    COMMENT ON COLUMN analytics_rollups.amounts IS 'how many of the events had an amount';
    COMMENT ON COLUMN analytics_rollups.amount_sum IS 'minor units; numeric, since no sum may overflow';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE analytics_rollups; DROP TABLE analytics_events;');
}

import type { Knex } from 'knex';

/**
 * Messages that a committed transaction owes the broker. Partitioned by day, so that published ones go with their
 * partition instead of leaving dead rows behind; the default partition takes rows should a day's partition be missing.
 *
 * `id` is the message id for ever. A terminal outcome is inserted once per job and generation because the settling update
 * of `critical_jobs`, in the same transaction, succeeds once (a unique index cannot span partitions).
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE outbox_events (
      seq bigint GENERATED ALWAYS AS IDENTITY,
      id uuid NOT NULL,
      ordering_key uuid NOT NULL,
      exchange text NOT NULL,
      routing_key text NOT NULL,
      properties jsonb NOT NULL,
      body text NOT NULL,
      mandatory boolean NOT NULL,
      attempts integer NOT NULL DEFAULT 0,
      next_attempt_at timestamptz,
      last_error text,
      created_at timestamptz NOT NULL DEFAULT now(),
      published_at timestamptz,
      parked_at timestamptz,
      PRIMARY KEY (seq, created_at)
    ) PARTITION BY RANGE (created_at);

    CREATE INDEX outbox_events_unpublished ON outbox_events (seq) WHERE published_at IS NULL AND parked_at IS NULL;
    CREATE TABLE outbox_events_default PARTITION OF outbox_events DEFAULT;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE outbox_events;');
}

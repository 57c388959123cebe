import type { Knex } from 'knex';

/** Finds the keys that wait behind a message which was put off; nearly always empty, and read before every batch. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE INDEX outbox_events_put_off ON outbox_events (ordering_key)
      WHERE next_attempt_at IS NOT NULL AND published_at IS NULL AND parked_at IS NULL;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX outbox_events_put_off;');
}

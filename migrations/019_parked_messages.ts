import type { Knex } from 'knex';

/** Messages that were set aside are few, and are looked for among all that were published. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE INDEX outbox_events_parked ON outbox_events (ordering_key)
      WHERE parked_at IS NOT NULL AND published_at IS NULL;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX outbox_events_parked;');
}

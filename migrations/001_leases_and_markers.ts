import type { Knex } from 'knex';

/** Leadership among replicas, and what is remembered of each Redis to notice that it forgot. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE leases (
      name text PRIMARY KEY,
      holder text NOT NULL,
      term integer NOT NULL,
      expires_at timestamptz NOT NULL
    );
    CREATE TABLE queue_markers (
      queue_name text PRIMARY KEY,
      marker bigint NOT NULL,
      incarnation text NOT NULL,
      updated_at timestamptz NOT NULL DEFAULT now()
    );
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE queue_markers; DROP TABLE leases;');
}

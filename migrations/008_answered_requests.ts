import type { Knex } from 'knex';

/**
 * Requests that were answered as duplicates are remembered as long as their job: the same request again, after its key
 * was let go, must not become a job of its own. Also finds the followers that a finished job still owes an answer.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    ALTER TABLE job_followers ADD COLUMN answered_at timestamptz;
    CREATE UNIQUE INDEX job_followers_request ON job_followers (request_key);
    CREATE INDEX job_followers_unanswered ON job_followers (job_id) WHERE answered_at IS NULL;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX job_followers_request; ALTER TABLE job_followers DROP COLUMN answered_at;');
}

import type { Knex } from 'knex';

/**
 * However many jobs wait, each of the two questions about open ones has an index that holds nothing else: which are next to
 * be handed to Redis (by priority, then by when they were due, so that those of a later day are never passed over one by
 * one), and which Redis should hold. A started job counts as handed over from here on, whatever was thought before.
 *
 * Neither index has a column that the start of a job changes.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    UPDATE critical_jobs SET queued = true
    WHERE NOT queued AND finished_at IS NULL AND status IN ('processing', 'in_doubt');

    CREATE INDEX critical_jobs_waiting ON critical_jobs (priority, run_at) WHERE NOT queued AND finished_at IS NULL;
    CREATE INDEX critical_jobs_handed_over ON critical_jobs (id) WHERE queued AND finished_at IS NULL;
    DROP INDEX critical_jobs_not_queued;
    DROP INDEX critical_jobs_open;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE INDEX critical_jobs_open ON critical_jobs (id) WHERE finished_at IS NULL;
    CREATE INDEX critical_jobs_not_queued ON critical_jobs (priority DESC, created_at)
      WHERE NOT queued AND finished_at IS NULL;
    DROP INDEX critical_jobs_waiting;
    DROP INDEX critical_jobs_handed_over;
  `);
}

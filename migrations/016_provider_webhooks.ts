import type { Knex } from 'knex';

/**
 * What providers report by webhook. An event is taken as a job, whose record is the first that is kept of it; here is what
 * was made of it, once per event, beside the job that it is about. Nothing of it is personal.
 *
 * `provider_announcements` has the ids of the domain events that were made of reports: several reports may find an object
 * in the same state, which is told once.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE provider_webhook_events (
      provider text NOT NULL,
      event_id text NOT NULL,
      event text NOT NULL,
      object_id text NOT NULL,
      job_id uuid,
      code text,
      occurred_at timestamptz,
      received_at timestamptz NOT NULL,
      processed_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (provider, event_id)
    );
    CREATE INDEX provider_webhook_events_job ON provider_webhook_events (job_id) WHERE job_id IS NOT NULL;
    CREATE INDEX provider_webhook_events_received ON provider_webhook_events (received_at);

    CREATE TABLE provider_announcements (
      id uuid PRIMARY KEY,
      announced_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX provider_announcements_at ON provider_announcements (announced_at);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE provider_announcements; DROP TABLE provider_webhook_events;');
}

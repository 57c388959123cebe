import type { Knex } from 'knex';

/**
 * Jobs of one ordering key form a line. Whoever changes a line holds the lock of its row in `ordering_keys`: rank and head
 * are given under it. The others of the line wait in PostgreSQL with their rank, and no index of those that wait for room
 * in Redis knows them.
 *
 * The database refuses two heads of a key (unique index), and a transaction that ends a head and leaves its line to it
 * (constraint trigger): there is nothing for anybody to mend afterwards.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE ordering_keys (
      key uuid PRIMARY KEY,
      last_rank bigint NOT NULL,
      head_job_id uuid,
      idle_since timestamptz DEFAULT now(),
      CHECK ((head_job_id IS NULL) = (idle_since IS NOT NULL))
    ) WITH (fillfactor = 50);
    CREATE INDEX ordering_keys_idle ON ordering_keys (idle_since) WHERE idle_since IS NOT NULL;

    ALTER TABLE critical_jobs ADD COLUMN ordering_key uuid, ADD COLUMN waiting_rank bigint,
      ADD CHECK (waiting_rank IS NULL OR ordering_key IS NOT NULL);
    COMMENT ON COLUMN critical_jobs.waiting_rank IS 'its place behind the head of its ordering key; null when it is its turn';
    CREATE UNIQUE INDEX critical_jobs_head ON critical_jobs (ordering_key)
      WHERE ordering_key IS NOT NULL AND waiting_rank IS NULL AND finished_at IS NULL;
    CREATE UNIQUE INDEX critical_jobs_line ON critical_jobs (ordering_key, waiting_rank)
      WHERE waiting_rank IS NOT NULL AND finished_at IS NULL;
    CREATE INDEX critical_jobs_line_expiry ON critical_jobs (expires_at)
      WHERE waiting_rank IS NOT NULL AND finished_at IS NULL AND NOT queued AND expires_at IS NOT NULL;

    DROP INDEX critical_jobs_waiting;
    CREATE INDEX critical_jobs_waiting ON critical_jobs (priority, run_at)
      WHERE NOT queued AND finished_at IS NULL AND waiting_rank IS NULL;

    CREATE FUNCTION refuse_ended_head() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
      IF EXISTS (SELECT FROM ordering_keys WHERE key = NEW.ordering_key AND head_job_id = NEW.id) THEN
        RAISE EXCEPTION 'job % has ended and is still the head of its ordering key', NEW.id
          USING ERRCODE = 'check_violation';
      END IF;
      RETURN NULL;
    END
    $body$;
    CREATE CONSTRAINT TRIGGER critical_jobs_ended_head AFTER UPDATE ON critical_jobs
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
      WHEN (NEW.ordering_key IS NOT NULL AND NEW.finished_at IS NOT NULL AND OLD.finished_at IS NULL)
      EXECUTE FUNCTION refuse_ended_head();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    DROP TRIGGER critical_jobs_ended_head ON critical_jobs;
    DROP FUNCTION refuse_ended_head();
    ALTER TABLE critical_jobs DROP COLUMN ordering_key, DROP COLUMN waiting_rank;
    CREATE INDEX critical_jobs_waiting ON critical_jobs (priority, run_at) WHERE NOT queued AND finished_at IS NULL;
    DROP TABLE ordering_keys;
  `);
}

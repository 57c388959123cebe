import type { Knex } from 'knex';

/**
 * Every move of a money job, written by the database itself, which also refuses moves that the state diagram does not
 * have. One trigger per statement with transition tables: a trigger per row would halve the speed of batched updates.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE critical_job_transitions (
      job_id uuid NOT NULL,
      generation integer NOT NULL,
      from_status text NOT NULL,
      to_status text NOT NULL,
      at timestamptz NOT NULL DEFAULT now(),
      attempt smallint NOT NULL,
      worker text,
      reason text,
      trace_id text
    );
    CREATE INDEX critical_job_transitions_job ON critical_job_transitions (job_id);

    CREATE FUNCTION record_critical_job_transitions() RETURNS trigger LANGUAGE plpgsql AS $body$
    DECLARE
      illegal record;
    BEGIN
      SELECT o.id, o.status AS from_status, n.status AS to_status INTO illegal
      FROM before_rows o JOIN after_rows n USING (id)
      WHERE o.status <> n.status
        AND NOT (
          (o.status = 'pending' AND n.status IN ('processing', 'cancelled'))
          OR (o.status = 'processing' AND n.status IN ('completed', 'failed', 'cancelled', 'in_doubt', 'pending'))
          OR (o.status = 'in_doubt' AND n.status IN ('completed', 'failed', 'pending'))
          OR (o.status = 'failed' AND n.status = 'pending' AND n.generation = o.generation + 1)
        )
      LIMIT 1;
      IF FOUND THEN
        RAISE EXCEPTION 'job % may not go from % to %', illegal.id, illegal.from_status, illegal.to_status
          USING ERRCODE = 'check_violation';
      END IF;

      INSERT INTO critical_job_transitions (job_id, generation, from_status, to_status, attempt, worker, reason, trace_id)
      SELECT n.id, n.generation, o.status, n.status, n.attempts, n.worker, n.reason, split_part(n.traceparent, '-', 2)
      FROM before_rows o JOIN after_rows n USING (id)
      WHERE o.status <> n.status
        OR (n.status = 'processing' AND o.attempt_token IS DISTINCT FROM n.attempt_token);
      RETURN NULL;
    END
    $body$;

    CREATE TRIGGER critical_jobs_transitions AFTER UPDATE ON critical_jobs
      REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
      FOR EACH STATEMENT EXECUTE FUNCTION record_critical_job_transitions();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    DROP TRIGGER critical_jobs_transitions ON critical_jobs;
    DROP FUNCTION record_critical_job_transitions();
    DROP TABLE critical_job_transitions;
  `);
}

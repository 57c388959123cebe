import type { Knex } from 'knex';

/**
 * Two savings for every move of a money job.
 *
 * Pages are filled less: the start of a job then finds room beside its old row, and no index has to be told of it. Before,
 * pages were full after every third start, and each of the others wrote five index entries.
 *
 * The trigger reads the changed rows once: what it writes and what it refuses is found in the same pass.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    ALTER TABLE critical_jobs SET (fillfactor = 45);

    CREATE FUNCTION refuse_critical_job_transition(id uuid, from_status text, to_status text) RETURNS text
    LANGUAGE plpgsql AS $body$
    BEGIN
      RAISE EXCEPTION 'job % may not go from % to %', id, from_status, to_status USING ERRCODE = 'check_violation';
    END
    $body$;

    CREATE OR REPLACE FUNCTION record_critical_job_transitions() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
      INSERT INTO critical_job_transitions (job_id, generation, from_status, to_status, attempt, worker, reason, trace_id)
      SELECT n.id, n.generation, o.status,
        CASE
          WHEN o.status = n.status
            OR (o.status = 'pending' AND n.status IN ('processing', 'cancelled'))
            OR (o.status = 'processing' AND n.status IN ('completed', 'failed', 'cancelled', 'in_doubt', 'pending'))
            OR (o.status = 'in_doubt' AND n.status IN ('completed', 'failed', 'pending'))
            OR (o.status = 'failed' AND n.status = 'pending' AND n.generation = o.generation + 1)
          THEN n.status
          ELSE refuse_critical_job_transition(n.id, o.status, n.status)
        END,
        n.attempts, n.worker, n.reason, split_part(n.traceparent, '-', 2)
      FROM before_rows o JOIN after_rows n USING (id)
      WHERE o.status <> n.status
        OR (n.status = 'processing' AND o.attempt_token IS DISTINCT FROM n.attempt_token);
      RETURN NULL;
    END
    $body$;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE OR REPLACE FUNCTION record_critical_job_transitions() RETURNS trigger LANGUAGE plpgsql AS $body$
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

    DROP FUNCTION refuse_critical_job_transition(uuid, text, text);
    ALTER TABLE critical_jobs SET (fillfactor = 70);
  `);
}

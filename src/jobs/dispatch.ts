import type { Queryable } from '../platform/postgres/database';
import type { DispatchedJob } from './job';

/** A job that is to be handed to Redis, with what BullMQ orders it by. */
export interface Dispatch extends DispatchedJob {
  jobType: string;
  priority: number;
  delayMs: number;
}

/** Which jobs are handed to Redis before they are due; the others wait in PostgreSQL until a minute before. */
export const FEED_AHEAD_MS = 60_000;

/** Jobs that wait for room in Redis; those behind the head of their ordering key wait for their turn first. */
const WAITING = 'NOT queued AND finished_at IS NULL AND waiting_rank IS NULL';

/**
 * The priorities of jobs that wait, each found by one look into their index. Of each, the first that are due are next to
 * each other there; over all of them, however many that are not due stand in between.
 */
const WAITING_PRIORITIES = `waiting_priorities AS (
    SELECT max(priority) AS priority FROM critical_jobs WHERE ${WAITING}
    UNION ALL
    SELECT (SELECT max(priority) FROM critical_jobs WHERE ${WAITING} AND priority < p.priority)
    FROM waiting_priorities p WHERE p.priority IS NOT NULL
  )`;

interface DispatchRow {
  id: string;
  generation: number;
  dispatch: number;
  job_type: string;
  priority: number;
  delay_ms: number;
}

/** Takes the most urgent of the jobs that wait here for room in Redis, of those the longest due, in that order. */
export async function takeWaiting(database: Queryable, limit: number): Promise<Dispatch[]> {
  return toDispatches(
    await database.query<DispatchRow>(
      {
        text: `
          WITH RECURSIVE ${WAITING_PRIORITIES}, next AS (
            SELECT due.id FROM waiting_priorities p CROSS JOIN LATERAL (
              SELECT id, run_at FROM critical_jobs
              WHERE ${WAITING} AND status = 'pending' AND priority = p.priority
                AND run_at <= now() + $2 * interval '1 millisecond'
              ORDER BY run_at LIMIT $1
            ) due
            ORDER BY p.priority DESC, due.run_at LIMIT $1
          ), taken AS (
            UPDATE critical_jobs j SET queued = true, dispatch = dispatch + 1, updated_at = now()
            WHERE j.id IN (
              SELECT id FROM critical_jobs WHERE id IN (SELECT id FROM next) AND ${WAITING} AND status = 'pending'
              FOR UPDATE SKIP LOCKED
            )
            RETURNING ${dispatchColumns('$3')}, j.run_at
          )
          SELECT * FROM taken ORDER BY priority DESC, run_at, id`,
      },
      [limit, FEED_AHEAD_MS, []],
    ),
  );
}

/** Takes those of these jobs that wait here, unless somebody was quicker. The heads that others have left room for. */
export async function takeHeads(database: Queryable, jobIds: string[]): Promise<Dispatch[]> {
  return take(database, 'id = ANY($1::uuid[]) AND waiting_rank IS NULL', jobIds);
}

/** Takes jobs that have expired behind the head of their ordering key: they are handed to Redis only to be ended. */
export async function takeExpiredBehind(database: Queryable, limit: number): Promise<Dispatch[]> {
  return take(
    database,
    `id IN (
      SELECT id FROM critical_jobs
      WHERE NOT queued AND finished_at IS NULL AND waiting_rank IS NOT NULL AND expires_at <= now()
      ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
    )`,
    limit,
  );
}

/** @param which a condition on the jobs, with `value` as `$1` */
async function take(database: Queryable, which: string, value: unknown): Promise<Dispatch[]> {
  return toDispatches(
    await database.query<DispatchRow>(
      {
        text: `
          UPDATE critical_jobs j SET queued = true, dispatch = dispatch + 1, updated_at = now()
          WHERE ${which} AND NOT j.queued AND j.status = 'pending'
          RETURNING ${dispatchColumns('$2')}`,
      },
      [value, []],
    ),
  );
}

/** Whether any job that could run now waits here for room. New ones then queue up behind it. */
export async function anyWaiting(database: Queryable): Promise<boolean> {
  const rows = await database.query<{ waiting: boolean }>({
    name: 'jobs-any-waiting',
    text: `
      WITH RECURSIVE ${WAITING_PRIORITIES}
      SELECT EXISTS (
        SELECT FROM waiting_priorities p CROSS JOIN LATERAL (
          SELECT FROM critical_jobs
          WHERE ${WAITING} AND status = 'pending' AND priority = p.priority AND run_at <= now()
          ORDER BY run_at LIMIT 1
        ) due
      ) AS waiting`,
  });
  return rows[0]?.waiting ?? false;
}

/**
 * Open jobs that Redis should hold, in pages by id: all of them, or only those that should have moved by now. Of those
 * that run only the ones whose attempt must be over, or whose worker is known to be dead: a living one is not overtaken.
 * One that Redis was thought to have refused counts as handed over once it has started.
 */
export async function readOpenDispatched(
  database: Queryable,
  page: { after: string; limit: number; overdueByMs: number | null },
  deadWorkers: string[] = [],
): Promise<Dispatch[]> {
  return toDispatches(
    await database.query<DispatchRow>(
      {
        text: `
          SELECT ${dispatchColumns('$4')} FROM critical_jobs j
          WHERE j.queued AND j.finished_at IS NULL AND j.id > $1 AND j.status IN ('pending', 'processing')
            AND CASE WHEN $3::integer IS NULL THEN j.status = 'pending' OR ${dueAt('$4')} <= now()
              ELSE ${dueAt('$4')} < now() - $3 * interval '1 millisecond' END
          ORDER BY j.id LIMIT $2`,
      },
      [page.after, page.limit, page.overdueByMs, deadWorkers],
    ),
  );
}

/** Raises the dispatch of these jobs, if they still are at the one that was read, and answers with the new ones. */
export async function raiseDispatch(
  database: Queryable,
  jobs: DispatchedJob[],
  deadWorkers: string[] = [],
): Promise<Dispatch[]> {
  return toDispatches(
    await database.query<DispatchRow>(
      {
        text: `
          UPDATE critical_jobs j SET dispatch = j.dispatch + 1, updated_at = now()
          FROM unnest($1::uuid[], $2::integer[], $3::integer[]) AS seen (id, generation, dispatch)
          WHERE j.id = seen.id AND j.generation = seen.generation AND j.dispatch = seen.dispatch
            AND j.status IN ('pending', 'processing')
          RETURNING ${dispatchColumns('$4')}`,
      },
      [jobs.map((job) => job.jobId), jobs.map((job) => job.generation), jobs.map((job) => job.dispatch), deadWorkers],
    ),
  );
}

/**
 * Jobs in doubt whose effects have all become known since (a late answer was recorded): they may run again, and the
 * ledger answers for what already happened. "Since" is since the attempt began, not since it was settled: the answer may
 * come between its decision and its settling. What the attempt itself settled has the settlement's own time.
 */
export async function reopenResolved(database: Queryable): Promise<number> {
  const rows = await database.query({
    text: `
      UPDATE critical_jobs j SET status = 'pending', queued = false, run_at = now(), reason = 'EFFECT_KNOWN',
        updated_at = now()
      WHERE j.queued AND j.finished_at IS NULL AND j.status = 'in_doubt'
        AND EXISTS (
          SELECT FROM job_effects e WHERE e.job_id = j.id AND e.state = 'done' AND e.updated_at <> j.updated_at
            AND e.updated_at > (
              SELECT max(t.at) FROM critical_job_transitions t WHERE t.job_id = j.id AND t.to_status = 'processing'
            )
        )
        AND NOT EXISTS (SELECT FROM job_effects e WHERE e.job_id = j.id AND e.state IN ('started', 'in_doubt'))
      RETURNING j.id`,
  });
  return rows.length;
}

/**
 * When an open job must have moved: a waiting one when it was due, a running one when its attempt is over, and long ago
 * where its worker is dead. `deadWorkers` is the parameter that names those.
 */
function dueAt(deadWorkers: string): string {
  return `CASE WHEN j.status = 'pending' THEN j.run_at WHEN j.worker = ANY(${deadWorkers}::text[]) THEN to_timestamp(0)
    ELSE j.updated_at + j.timeout_ms * interval '1 millisecond' END`;
}

function dispatchColumns(deadWorkers: string): string {
  return `j.id, j.generation, j.dispatch, j.job_type, j.priority,
    GREATEST(0, EXTRACT(epoch FROM ${dueAt(deadWorkers)} - now()) * 1000)::float8 AS delay_ms`;
}

function toDispatches(rows: DispatchRow[]): Dispatch[] {
  return rows.map((row) => ({
    jobId: row.id,
    generation: row.generation,
    dispatch: row.dispatch,
    jobType: row.job_type,
    priority: row.priority,
    delayMs: Math.ceil(row.delay_ms),
  }));
}

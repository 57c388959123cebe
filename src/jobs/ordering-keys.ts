/**
 * The lines of jobs that share an ordering key: rank and head, under the lock of the key's row.
 *
 * Lock order, everywhere: rows of keys (by key), then rows of jobs (by id). So whoever ends a job takes its line first.
 */
import type { Queryable, Transaction } from '../platform/postgres/database';

/** A job that is to stand in the line of its key. */
export interface Ordered {
  jobId: string;
  orderingKey: string;
}

/** What a key has, as it was when its row was locked. */
export interface Line {
  /** As many ranks as were asked for, from this one on. */
  firstRank: number;
  hasHead: boolean;
}

/** Locks the lines of these keys, and takes a rank in them for each mention of a key. */
export async function takeRanks(tx: Transaction, keys: string[]): Promise<Map<string, Line>> {
  const rows = await tx.query<{ key: string; first_rank: string; has_head: boolean }>(
    {
      name: 'ordering-take-ranks',
      text: `
        INSERT INTO ordering_keys AS k (key, last_rank)
        SELECT key, count(*) FROM unnest($1::uuid[]) AS wanted (key) GROUP BY key ORDER BY key
        ON CONFLICT (key) DO UPDATE SET last_rank = k.last_rank + EXCLUDED.last_rank
        RETURNING key, head_job_id IS NOT NULL AS has_head,
          last_rank + 1 - (SELECT count(*) FROM unnest($1::uuid[]) AS taken (key) WHERE taken.key = k.key) AS first_rank`,
    },
    [keys],
  );
  return new Map(rows.map((row) => [row.key, { firstRank: Number(row.first_rank), hasHead: row.has_head }]));
}

/** Puts new jobs into their lines, which are locked by the same transaction. `rank` is null for a line's head. */
export async function lineUp(tx: Transaction, jobs: (Ordered & { rank: number | null })[]): Promise<void> {
  await tx.query(
    {
      name: 'ordering-line-up',
      text: `
        WITH placed AS (
          SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS p (job_id, key, rank)
        ), headed AS (
          UPDATE ordering_keys k SET head_job_id = placed.job_id, idle_since = NULL
          FROM placed WHERE k.key = placed.key AND placed.rank IS NULL
        )
        UPDATE critical_jobs j SET ordering_key = placed.key, waiting_rank = placed.rank,
          queued = j.queued AND placed.rank IS NULL
        FROM placed WHERE j.id = placed.job_id`,
    },
    [jobs.map(({ jobId }) => jobId), jobs.map(({ orderingKey }) => orderingKey), jobs.map(({ rank }) => rank)],
  );
}

/**
 * Locks the lines of those of these jobs that have an ordering key, then the jobs with whoever comes next in their lines.
 * To be called before anything else of a transaction that may end one of them, or take it up again.
 */
export async function lockLines(tx: Transaction, jobIds: string[]): Promise<void> {
  const keys = await tx.query<{ key: string }>(
    {
      name: 'ordering-lock-keys',
      // Also a key that was forgotten since: nobody else may begin its line anew meanwhile.
      text: `
        INSERT INTO ordering_keys (key, last_rank)
        SELECT DISTINCT ordering_key, 0 FROM critical_jobs WHERE id = ANY($1::uuid[]) AND ordering_key IS NOT NULL
        ORDER BY ordering_key
        ON CONFLICT (key) DO UPDATE SET key = EXCLUDED.key
        RETURNING key`,
    },
    [jobIds],
  );
  if (keys.length === 0) return;
  await tx.query(
    {
      name: 'ordering-lock-jobs',
      text: `
        SELECT id FROM critical_jobs
        WHERE id = ANY($1::uuid[]) OR id IN (
          SELECT next.id FROM unnest($2::uuid[]) AS locked (key) CROSS JOIN LATERAL (${nextOf('locked.key')}) next
        )
        ORDER BY id FOR UPDATE`,
    },
    [jobIds, keys.map(({ key }) => key)],
  );
}

/**
 * Makes the next of a line its head where one of these jobs was the head and has ended. Their lines are locked by the same
 * transaction. The new heads wait in PostgreSQL like every job that waits there, and are answered with.
 */
export async function releaseLines(tx: Transaction, endedIds: string[]): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    {
      name: 'ordering-release',
      text: `
        WITH released AS (
          SELECT k.key, next.id FROM ordering_keys k LEFT JOIN LATERAL (${nextOf('k.key')}) next ON true
          WHERE k.key IN (SELECT ordering_key FROM critical_jobs WHERE id = ANY($1::uuid[]))
            AND k.head_job_id = ANY($1::uuid[])
        ), headed AS (
          UPDATE ordering_keys k SET head_job_id = r.id, idle_since = CASE WHEN r.id IS NULL THEN now() END
          FROM released r WHERE k.key = r.key
        )
        UPDATE critical_jobs j SET waiting_rank = NULL, updated_at = now() FROM released r WHERE j.id = r.id
        RETURNING j.id`,
    },
    [endedIds],
  );
  return rows.map(({ id }) => id);
}

/** Gives a job that has ended the last place of its line; the line is locked by the same transaction. */
export async function rejoinLine(tx: Transaction, jobId: string): Promise<void> {
  await tx.query(
    {
      text: `
      WITH line AS (
        UPDATE ordering_keys k SET last_rank = k.last_rank + 1, head_job_id = COALESCE(k.head_job_id, j.id),
          idle_since = NULL
        FROM critical_jobs j WHERE j.id = $1 AND k.key = j.ordering_key
        RETURNING k.head_job_id, k.last_rank
      )
      UPDATE critical_jobs j SET waiting_rank = CASE WHEN line.head_job_id = j.id THEN NULL ELSE line.last_rank END
      FROM line WHERE j.id = $1`,
    },
    [jobId],
  );
}

/** Forgets keys that nobody has waited under for so long, so many at once. Answers with their number. */
export async function deleteIdleKeys(database: Queryable, idleForMs: number, limit: number): Promise<number> {
  const rows = await database.query(
    {
      text: `
        DELETE FROM ordering_keys WHERE key IN (
          SELECT key FROM ordering_keys WHERE idle_since < now() - $1 * interval '1 millisecond'
          LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        RETURNING key`,
    },
    [idleForMs, limit],
  );
  return rows.length;
}

/** Whoever waits for the longest behind the head of a key. */
function nextOf(key: string): string {
  return `SELECT j.id FROM critical_jobs j
    WHERE j.ordering_key = ${key} AND j.waiting_rank IS NOT NULL AND j.finished_at IS NULL
    ORDER BY j.waiting_rank LIMIT 1`;
}

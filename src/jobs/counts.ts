import type { Queryable } from '../platform/postgres/database';
import type { Book } from './volatile/books';

/**
 * How many jobs of a lower tier came in, by each run of its Redis, and how many ended, by each process: a row of its own
 * for each. What came in, did not end and is not open was lost with its Redis.
 */
export async function addEnded(database: Queryable, queueName: string, instance: string, ended: number): Promise<void> {
  await database.query(
    {
      name: 'queue-counts-add',
      text: `
        INSERT INTO queue_counts AS c (queue_name, instance, ended) VALUES ($1, $2, $3)
        ON CONFLICT (queue_name, instance) DO UPDATE SET ended = c.ended + EXCLUDED.ended`,
    },
    [queueName, instance, ended],
  );
}

/** Remembers what a Redis has counted. A count only rises: one that was told late, or twice, changes nothing. */
export async function noteAccepted(database: Queryable, queueName: string, books: Book[]): Promise<void> {
  if (books.length === 0) return;
  await database.query(
    {
      name: 'queue-counts-note',
      text: `
        INSERT INTO queue_counts AS c (queue_name, instance, accepted)
        SELECT $1, run, accepted FROM unnest($2::text[], $3::bigint[]) AS book (run, accepted) ORDER BY run
        ON CONFLICT (queue_name, instance) DO UPDATE SET accepted = EXCLUDED.accepted
          WHERE c.accepted < EXCLUDED.accepted`,
    },
    [queueName, books.map(({ run }) => run), books.map(({ accepted }) => accepted)],
  );
}

export async function readCounts(database: Queryable, queueName: string): Promise<{ accepted: number; ended: number }> {
  const rows = await database.query<{ accepted: string | null; ended: string | null }>(
    { text: 'SELECT sum(accepted) AS accepted, sum(ended) AS ended FROM queue_counts WHERE queue_name = $1' },
    [queueName],
  );
  return { accepted: Number(rows[0]?.accepted ?? 0), ended: Number(rows[0]?.ended ?? 0) };
}

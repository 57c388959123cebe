import type { Queryable } from '../platform/postgres/database';

/**
 * How many jobs of a lower tier came in and how many ended, as every process counts for itself: a row of its own each,
 * so that nobody waits for anybody. What came in, did not end and is not open was lost with its Redis.
 */
export async function addCounts(
  database: Queryable,
  queueName: string,
  instance: string,
  counts: { accepted?: number; ended?: number },
): Promise<void> {
  await database.query(
    {
      name: 'queue-counts-add',
      text: `
        INSERT INTO queue_counts AS c (queue_name, instance, accepted, ended) VALUES ($1, $2, $3, $4)
        ON CONFLICT (queue_name, instance) DO UPDATE
          SET accepted = c.accepted + EXCLUDED.accepted, ended = c.ended + EXCLUDED.ended`,
    },
    [queueName, instance, counts.accepted ?? 0, counts.ended ?? 0],
  );
}

export async function readCounts(database: Queryable, queueName: string): Promise<{ accepted: number; ended: number }> {
  const rows = await database.query<{ accepted: string | null; ended: string | null }>(
    { text: 'SELECT sum(accepted) AS accepted, sum(ended) AS ended FROM queue_counts WHERE queue_name = $1' },
    [queueName],
  );
  return { accepted: Number(rows[0]?.accepted ?? 0), ended: Number(rows[0]?.ended ?? 0) };
}

import type { Queryable } from '../platform/postgres/database';

/** What PostgreSQL remembers of a queue's Redis. */
export interface QueueMarker {
  marker: number;
  /** Redis' `run_id`: another one means that the server was restarted or replaced. */
  incarnation: string;
}

export async function readMarker(database: Queryable, queueName: string): Promise<QueueMarker | undefined> {
  const rows = await database.query<{ marker: string; incarnation: string }>(
    { name: 'marker-read', text: 'SELECT marker, incarnation FROM queue_markers WHERE queue_name = $1' },
    [queueName],
  );
  return rows.map((row) => ({ marker: Number(row.marker), incarnation: row.incarnation }))[0];
}

/** Remembers a marker that Redis has acknowledged already, so that PostgreSQL never is ahead by itself. */
export async function writeMarker(database: Queryable, queueName: string, marker: QueueMarker): Promise<void> {
  await database.query(
    {
      name: 'marker-write',
      text: `
        INSERT INTO queue_markers (queue_name, marker, incarnation) VALUES ($1, $2, $3)
        ON CONFLICT (queue_name) DO UPDATE SET marker = $2, incarnation = $3, updated_at = now()`,
    },
    [queueName, marker.marker, marker.incarnation],
  );
}

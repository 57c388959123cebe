import { z } from 'zod';
import type { Queryable, Transaction } from '../platform/postgres/database';

/** A message that a transaction owes the broker. */
export interface OutboxMessage {
  /** The message id, the same at every publication. */
  id: string;
  /** Messages of one key are published in the order in which they were written, one at a time. */
  orderingKey: string;
  exchange: string;
  routingKey: string;
  contentType: string;
  type: string;
  correlationId: string | undefined;
  alsoTo: string[];
  headers: Record<string, string>;
  body: string;
  /** Must reach a queue: when none is bound it stays here, and an alert says so. */
  mandatory: boolean;
}

export interface OutboxRow extends OutboxMessage {
  seq: string;
  attempts: number;
  createdAt: Date;
}

/** Writes messages as part of the transaction that makes them true. */
export async function appendToOutbox(tx: Transaction, messages: OutboxMessage[]): Promise<void> {
  if (messages.length === 0) return;
  await tx.query(APPEND, [
    messages.map((message) => message.id),
    messages.map((message) => message.orderingKey),
    messages.map((message) => message.exchange),
    messages.map((message) => message.routingKey),
    messages.map((message) =>
      JSON.stringify({
        contentType: message.contentType,
        type: message.type,
        correlationId: message.correlationId,
        alsoTo: message.alsoTo,
        headers: message.headers,
      }),
    ),
    messages.map((message) => message.body),
    messages.map((message) => message.mandatory),
  ]);
}

/**
 * The oldest unpublished rows that are due, without those behind a row of their own key that was put off. There is no
 * cursor: a row that commits late is found at the next look, whatever its number.
 */
export async function readUnpublished(database: Queryable, limit: number): Promise<OutboxRow[]> {
  const rows = await database.query<UnpublishedRow>(READ, [limit]);
  return rows.map((row) => ({
    ...properties.parse(row.properties),
    seq: row.seq,
    id: row.id,
    orderingKey: row.ordering_key,
    exchange: row.exchange,
    routingKey: row.routing_key,
    body: row.body,
    mandatory: row.mandatory,
    attempts: row.attempts,
    createdAt: row.created_at,
  }));
}

/** Marks what the broker has confirmed. */
export async function markPublished(database: Queryable, rows: OutboxRow[]): Promise<void> {
  if (rows.length === 0) return;
  await database.query(MARK, [rows.map((row) => row.seq), oldest(rows)]);
}

/** Puts a row off; after `maxAttempts` it is parked: kept, out of the way, and reported. */
export async function deferRow(
  database: Queryable,
  row: OutboxRow,
  reason: string,
  retryInMs: number,
  maxAttempts: number,
): Promise<{ parked: boolean }> {
  const rows = await database.query<{ parked: boolean }>(
    {
      text: `
        UPDATE outbox_events SET attempts = attempts + 1, last_error = $3,
          next_attempt_at = now() + $4 * interval '1 millisecond',
          parked_at = CASE WHEN attempts + 1 >= $5 THEN now() END
        WHERE seq = $1 AND created_at >= $2 AND published_at IS NULL
        RETURNING parked_at IS NOT NULL AS parked`,
    },
    [row.seq, oldest([row]), reason, retryInMs, maxAttempts],
  );
  return { parked: rows[0]?.parked ?? false };
}

/** How many rows wait, and the age of the oldest in seconds. */
export async function readBacklog(database: Queryable): Promise<{ rows: number; ageSeconds: number; parked: number }> {
  const rows = await database.query<{ rows: string; age: number; parked: string }>({
    text: `
      SELECT count(*) AS rows, COALESCE(EXTRACT(epoch FROM now() - min(created_at)), 0)::float8 AS age,
        (SELECT count(*) FROM outbox_events WHERE parked_at IS NOT NULL AND published_at IS NULL) AS parked
      FROM outbox_events WHERE published_at IS NULL AND parked_at IS NULL`,
  });
  const row = rows[0];
  return { rows: Number(row?.rows ?? 0), ageSeconds: row?.age ?? 0, parked: Number(row?.parked ?? 0) };
}

const properties = z.object({
  contentType: z.string(),
  type: z.string(),
  correlationId: z
    .string()
    .optional()
    .transform((id) => id),
  alsoTo: z.array(z.string()),
  headers: z.record(z.string(), z.string()),
});

interface UnpublishedRow {
  seq: string;
  id: string;
  ordering_key: string;
  exchange: string;
  routing_key: string;
  properties: unknown;
  body: string;
  mandatory: boolean;
  attempts: number;
  created_at: Date;
}

/** JavaScript's dates end at the millisecond and PostgreSQL's do not: only "at or after" can be asked for. */
function oldest(rows: OutboxRow[]): Date {
  return new Date(Math.min(...rows.map((row) => row.createdAt.getTime())) - 1);
}

const APPEND = {
  name: 'outbox-append',
  text: `
    INSERT INTO outbox_events (id, ordering_key, exchange, routing_key, properties, body, mandatory)
    SELECT id, ordering_key, exchange, routing_key, properties::jsonb, body, mandatory
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[])
      AS m (id, ordering_key, exchange, routing_key, properties, body, mandatory)`,
};

const READ = {
  name: 'outbox-read',
  text: `
    SELECT seq, id, ordering_key, exchange, routing_key, properties, body, mandatory, attempts, created_at
    FROM outbox_events
    WHERE published_at IS NULL AND parked_at IS NULL AND ordering_key NOT IN (
      SELECT ordering_key FROM outbox_events
      WHERE published_at IS NULL AND parked_at IS NULL AND next_attempt_at > now()
    )
    ORDER BY seq LIMIT $1`,
};

const MARK = {
  name: 'outbox-mark',
  // created_at only helps the planner to leave out the partitions of other days.
  text: `
    UPDATE outbox_events SET published_at = now(), last_error = NULL
    WHERE seq = ANY($1::bigint[]) AND created_at >= $2 AND published_at IS NULL`,
};

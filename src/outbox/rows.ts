import type { Queryable, Transaction } from '../platform/postgres/database';
import { jsonTexts } from '../platform/postgres/json-texts';
import { SERVICE_OUTBOX, type OutboxTable } from './table';

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
  /** JSON. */
  body: string;
  /** Must reach a queue: when none is bound it stays here, and an alert says so. */
  mandatory: boolean;
}

/** Rows are read until their bodies have so many bytes together: what is in flight takes memory, and a result may be large. */
const MAX_BATCH_BYTES = 8 * 1_048_576;

export interface OutboxRow extends OutboxMessage {
  seq: string;
  attempts: number;
  createdAtMs: number;
}

/** Writes messages as part of the transaction that makes them true. */
export async function appendToOutbox(
  tx: Transaction,
  messages: OutboxMessage[],
  table: OutboxTable = SERVICE_OUTBOX,
): Promise<void> {
  if (messages.length === 0) return;
  await tx.query(table.append, [
    messages.map((message) => message.id),
    messages.map((message) => message.orderingKey),
    messages.map((message) => message.exchange),
    messages.map((message) => message.routingKey),
    jsonTexts(
      messages.map((message) =>
        JSON.stringify({
          contentType: message.contentType,
          type: message.type,
          ...(message.correlationId === undefined ? {} : { correlationId: message.correlationId }),
          alsoTo: message.alsoTo,
          headers: message.headers,
        } satisfies Properties),
      ),
    ),
    jsonTexts(messages.map((message) => message.body)),
    messages.map((message) => message.mandatory),
  ]);
}

/**
 * The oldest unpublished rows that are due, without those behind a row of their own key that was put off: up to `limit`,
 * fewer when they are large, one at least. There is no
 * cursor: a row that commits late is found at the next look, whatever its number.
 */
export async function readUnpublished(
  database: Queryable,
  limit: number,
  table: OutboxTable = SERVICE_OUTBOX,
): Promise<OutboxRow[]> {
  const rows = await database.query<UnpublishedRow>(table.read, [limit, MAX_BATCH_BYTES]);
  return rows.map((row) => ({
    seq: row.seq,
    id: row.id,
    orderingKey: row.ordering_key,
    exchange: row.exchange,
    routingKey: row.routing_key,
    body: row.body,
    mandatory: row.mandatory,
    attempts: row.attempts,
    createdAtMs: row.created_at_ms,
    contentType: row.properties.contentType,
    type: row.properties.type,
    correlationId: row.properties.correlationId,
    alsoTo: row.properties.alsoTo,
    headers: row.properties.headers,
  }));
}

/** Whether reading these may have left out others that were there as well. */
export function mayBeMore(rows: OutboxRow[], limit: number): boolean {
  if (rows.length >= limit) return true;
  // A character has four bytes at most.
  return rows.reduce((sum, { body }) => sum + body.length, 0) * 4 >= MAX_BATCH_BYTES;
}

/** Marks what the broker has confirmed. */
export async function markPublished(
  database: Queryable,
  rows: OutboxRow[],
  table: OutboxTable = SERVICE_OUTBOX,
): Promise<void> {
  if (rows.length === 0) return;
  await database.query(table.mark, [rows.map((row) => row.seq), oldest(rows)]);
}

/** Puts a row off; after `maxAttempts` it is parked: kept, out of the way, and reported. */
export async function deferRow(
  database: Queryable,
  row: OutboxRow,
  reason: string,
  retryInMs: number,
  maxAttempts: number,
  table: OutboxTable = SERVICE_OUTBOX,
): Promise<{ parked: boolean }> {
  const values = [row.seq, oldest([row]), reason, retryInMs, maxAttempts];
  const rows = await database.query<{ parked: boolean }>(table.defer, values);
  return { parked: rows[0]?.parked ?? false };
}

/** Of these ordering keys those with messages that are not published yet, parked ones included. */
export async function readUntold(database: Queryable, orderingKeys: string[]): Promise<Set<string>> {
  const rows = await database.query<{ ordering_key: string }>(SERVICE_OUTBOX.unpublished, [orderingKeys]);
  return new Set(rows.map((row) => row.ordering_key));
}

export interface Backlog {
  /** Messages that wait. */
  rows: number;
  /** How long the oldest of them has waited. */
  ageSeconds: number;
  /** Messages that were set aside, and that somebody must look at. */
  parked: number;
}

export async function readBacklog(database: Queryable, table: OutboxTable = SERVICE_OUTBOX): Promise<Backlog> {
  const rows = await database.query<{ rows: string; age: number; parked: string }>(table.backlog);
  const row = rows[0];
  return { rows: Number(row?.rows ?? 0), ageSeconds: row?.age ?? 0, parked: Number(row?.parked ?? 0) };
}

/** What is kept of a message as one column. */
type Properties = Pick<OutboxMessage, 'contentType' | 'type' | 'alsoTo' | 'headers'> & { correlationId?: string };

interface UnpublishedRow {
  seq: string;
  id: string;
  ordering_key: string;
  exchange: string;
  routing_key: string;
  properties: Properties;
  body: string;
  mandatory: boolean;
  attempts: number;
  created_at_ms: number;
}

/** JavaScript's dates end at the millisecond and PostgreSQL's do not: only "at or after" can be asked for. */
function oldest(rows: OutboxRow[]): Date {
  return new Date(Math.min(...rows.map((row) => row.createdAtMs)) - 1);
}

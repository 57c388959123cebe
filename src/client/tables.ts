import { identifier } from '../platform/postgres/identifier';
import { runSql, type SqlRunner } from './sql';

/** Rows that one statement of a retention deletes. */
const DELETE_BATCH = 1_000;

/** Where the relays of an outbox agree which of them publishes. */
export function leasesOf(outboxTable: string): string {
  return `${identifier(outboxTable)}_leases`;
}

/**
 * Creates the outbox that `publishInTransaction` writes to, and its leases. Harmless when they exist, and in several
 * processes at once: for a migration, with `dropOutboxTable` as its way back.
 */
export async function createOutboxTable(database: SqlRunner, name: string): Promise<void> {
  const table = identifier(name);
  await runSql(
    database,
    `${oneAtATime(table)}
    CREATE TABLE IF NOT EXISTS ${table} (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      id text NOT NULL,
      ordering_key uuid NOT NULL,
      exchange text NOT NULL,
      routing_key text NOT NULL,
      properties jsonb NOT NULL,
      body text NOT NULL,
      mandatory boolean NOT NULL,
      attempts integer NOT NULL DEFAULT 0,
      next_attempt_at timestamptz,
      last_error text,
      created_at timestamptz NOT NULL DEFAULT now(),
      published_at timestamptz,
      parked_at timestamptz
    );
    CREATE INDEX IF NOT EXISTS ${table}_unpublished ON ${table} (seq)
      WHERE published_at IS NULL AND parked_at IS NULL;
    CREATE INDEX IF NOT EXISTS ${table}_put_off ON ${table} (ordering_key)
      WHERE next_attempt_at IS NOT NULL AND published_at IS NULL AND parked_at IS NULL;
    CREATE INDEX IF NOT EXISTS ${table}_published ON ${table} (published_at) WHERE published_at IS NOT NULL;
    CREATE TABLE IF NOT EXISTS ${leasesOf(table)} (
      name text PRIMARY KEY,
      holder text NOT NULL,
      term integer NOT NULL,
      expires_at timestamptz NOT NULL
    );`,
  );
}

/** Drops both, with what was never published. */
export async function dropOutboxTable(database: SqlRunner, name: string): Promise<void> {
  await runSql(database, `DROP TABLE IF EXISTS ${identifier(name)}, ${leasesOf(name)};`);
}

/** Deletes published messages older than so many days, in small steps; answers with their number. */
export function deletePublished(database: SqlRunner, name: string, olderThanDays: number): Promise<number> {
  return deleteInBatches(database, identifier(name), 'published_at', olderThanDays);
}

/** Creates the table by which `onOutcome` remembers what was handled; harmless when it exists. */
export async function createInboxTable(database: SqlRunner, name: string): Promise<void> {
  const table = identifier(name);
  await runSql(
    database,
    `${oneAtATime(table)}
    CREATE TABLE IF NOT EXISTS ${table} (
      queue text NOT NULL,
      outcome_id text NOT NULL,
      handled_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (queue, outcome_id)
    );
    CREATE INDEX IF NOT EXISTS ${table}_handled ON ${table} (handled_at);`,
  );
}

/** Drops it; outcomes that come again are handled again. */
export async function dropInboxTable(database: SqlRunner, name: string): Promise<void> {
  await runSql(database, `DROP TABLE IF EXISTS ${identifier(name)};`);
}

/** Forgets outcomes that were handled so many days ago, in small steps; answers with their number. */
export function deleteHandled(database: SqlRunner, name: string, olderThanDays: number): Promise<number> {
  return deleteInBatches(database, identifier(name), 'handled_at', olderThanDays);
}

/** "If not exists" is judged before it is created: two processes at once would both find nothing. */
function oneAtATime(table: string): string {
  return `SELECT pg_advisory_xact_lock(hashtext('create ${table}'));`;
}

async function deleteInBatches(
  database: SqlRunner,
  table: string,
  column: 'published_at' | 'handled_at',
  olderThanDays: number,
): Promise<number> {
  let deleted = 0;
  for (;;) {
    const { rowCount } = await runSql(
      database,
      `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM ${table} WHERE ${column} < now() - $1 * interval '1 day' LIMIT $2))`,
      [olderThanDays, DELETE_BATCH],
    );
    deleted += rowCount ?? 0;
    if ((rowCount ?? 0) < DELETE_BATCH) return deleted;
  }
}

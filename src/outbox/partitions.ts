import type { Database } from '../platform/postgres/database';
import { sqlState } from '../platform/postgres/errors';

const DAYS_AHEAD = 3;
/** While somebody reads the table for long (a dump), a lock that waits would hold up every write behind it. */
const LOCK_TIMEOUT = '1s';
const LOCK_NOT_AVAILABLE = '55P03';

/** Creates the partitions of the coming days; harmless when they exist and in several processes at once. */
export async function ensurePartitions(database: Database, today: Date = new Date()): Promise<void> {
  for (let day = 0; day <= DAYS_AHEAD; day += 1) {
    const from = dayStart(today, day);
    const to = dayStart(today, day + 1);
    const name = `outbox_events_${from.replaceAll('-', '')}`;
    // A day that already has rows in the default partition cannot be split off; those rows are served from there.
    await database.query({
      text: `
        DO $$ BEGIN
          PERFORM set_config('lock_timeout', '${LOCK_TIMEOUT}', true);
          IF to_regclass('${name}') IS NULL THEN
            CREATE TABLE ${name} PARTITION OF outbox_events FOR VALUES FROM ('${from}T00:00:00Z') TO ('${to}T00:00:00Z');
          END IF;
        EXCEPTION WHEN duplicate_table OR check_violation OR lock_not_available THEN NULL;
        END $$`,
    });
  }
}

/** Drops the partitions that ended before `keepSince` and hold nothing unpublished; answers with their names. */
export async function dropPublishedPartitions(database: Database, keepSince: Date): Promise<string[]> {
  const limit = `outbox_events_${dayStart(keepSince, 0).replaceAll('-', '')}`;
  const partitions = await database.query<{ name: string }>(
    {
      text: `
        SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'outbox_events'::regclass AND c.relname ~ '^outbox_events_[0-9]{8}$' AND c.relname < $1
        ORDER BY 1`,
    },
    [limit],
  );
  const dropped: string[] = [];
  for (const { name } of partitions) {
    const open = await database.query({ text: `SELECT FROM ${name} WHERE published_at IS NULL LIMIT 1` });
    if (open.length > 0) continue;
    if (await dropUnlessBusy(database, name)) dropped.push(name);
  }
  return dropped;
}

/**
 * Deletes up to `limit` messages that were published before `keepSince` from the default partition, which is never dropped;
 * answers with their number.
 */
export async function deletePublishedStrays(database: Database, keepSince: Date, limit: number): Promise<number> {
  const rows = await database.query(
    {
      text: `
        DELETE FROM outbox_events_default WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM outbox_events_default WHERE published_at < $1 LIMIT $2
        )) RETURNING seq`,
    },
    [keepSince, limit],
  );
  return rows.length;
}

async function dropUnlessBusy(database: Database, name: string): Promise<boolean> {
  try {
    await database.transaction(async (tx) => {
      await tx.query({ text: `SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'` });
      await tx.query({ text: `DROP TABLE ${name}` });
    });
    return true;
  } catch (error) {
    if (sqlState(error) === LOCK_NOT_AVAILABLE) return false;
    throw error;
  }
}

function dayStart(from: Date, daysLater: number): string {
  const day = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth(), from.getUTCDate() + daysLater));
  return day.toISOString().slice(0, 10);
}

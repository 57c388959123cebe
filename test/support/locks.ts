import type { Pool } from 'pg';
import { eventually } from './harness';

/** Waits until statements in this database, as many as `count`, wait for rows that others have locked. */
export function waitsForLock(pool: Pool, count = 1): Promise<unknown> {
  return eventually(`${count} statements wait for a lock`, async () => {
    const { rowCount } = await pool.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return (rowCount ?? 0) >= count;
  });
}

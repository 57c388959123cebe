import type { Pool } from 'pg';
import { eventually } from './harness';

/** Waits until a statement in this database waits for a row that another one has locked. */
export function waitsForLock(pool: Pool): Promise<unknown> {
  return eventually('something waits for a lock', async () => {
    const { rowCount } = await pool.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return (rowCount ?? 0) > 0;
  });
}

import type { Pool } from 'pg';
import { z } from 'zod';

/** Jobs that the service has accepted. */
export async function countJobs(pool: Pool): Promise<number> {
  const { rows } = await pool.query('SELECT count(*)::integer AS n FROM critical_jobs');
  return z.array(z.object({ n: z.number() })).parse(rows)[0]?.n ?? -1;
}

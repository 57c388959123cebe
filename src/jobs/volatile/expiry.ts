import type { Queryable } from '../../platform/postgres/database';
import { deleteExpired, readExpired } from '../finished';
import type { VolatileJobs } from './store';

/**
 * Forgets up to `limit` ended jobs whose keys are held no longer; answers with their number. In Redis first: one that is
 * still open there, since word of its end was lost, would hold its key with nobody left who knows better.
 */
export async function forgetExpired(
  open: VolatileJobs,
  database: Queryable,
  queueName: string,
  limit: number,
): Promise<number> {
  const jobs = await readExpired(database, queueName, limit);
  if (jobs.length === 0) return 0;
  await open.forget(jobs);
  await deleteExpired(database, jobs);
  return jobs.length;
}

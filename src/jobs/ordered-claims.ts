import type { Database } from '../platform/postgres/database';
import { insertClaims, type Claim } from './claim';
import { lineUp, takeRanks, type Line, type Ordered } from './ordering-keys';

export interface ClaimedJobs {
  jobIds: Set<string>;
  /** Those of them before which others of their ordering key come: they are not to be handed to Redis yet. */
  waiting: Set<string>;
}

/**
 * Inserts the claims, and puts those with an ordering key at the end of their lines. Jobs of one key are ranked in the
 * order in which their transactions take the lock of its row, and within a transaction in the order of the claims.
 */
export async function claimJobs(
  database: Pick<Database, 'query' | 'transaction'>,
  claims: Claim[],
): Promise<ClaimedJobs> {
  const ordered = claims.flatMap(({ jobId, orderingKey }) =>
    orderingKey === undefined ? [] : [{ jobId, orderingKey }],
  );
  if (ordered.length === 0) return { jobIds: await insertClaims(database, claims), waiting: new Set() };
  return database.transaction(async (tx) => {
    const lines = await takeRanks(
      tx,
      ordered.map(({ orderingKey }) => orderingKey),
    );
    const jobIds = await insertClaims(tx, claims);
    const placed = place(
      ordered.filter(({ jobId }) => jobIds.has(jobId)),
      lines,
    );
    await lineUp(tx, placed);
    return { jobIds, waiting: new Set(placed.flatMap(({ jobId, rank }) => (rank === null ? [] : [jobId]))) };
  });
}

/** The first of a line that has no head becomes it; the others get the next ranks. */
function place(jobs: Ordered[], lines: Map<string, Line>): (Ordered & { rank: number | null })[] {
  const before = new Map<string, number>();
  return jobs.map((job) => {
    const line = lines.get(job.orderingKey);
    if (!line) throw new Error('a line was not locked');
    const index = before.get(job.orderingKey) ?? 0;
    before.set(job.orderingKey, index + 1);
    return { ...job, rank: index === 0 && !line.hasHead ? null : line.firstRank + index };
  });
}

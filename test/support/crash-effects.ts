import { z } from 'zod';
import { QUEUE_POLICIES } from '../../src/catalogue/queues';
import type { Tier } from '../../src/contract/names';
import { TIER_WORK, type Effect } from './crash-work';
import type { Workload } from './crash-workload';
import type { Harness } from './harness';
import type { SendGridSandbox } from './sandbox/sendgrid/sandbox';

/** Everything that a row of the matrix looks at. */
export interface CrashHarness extends Harness {
  sendgrid: SendGridSandbox;
}

const calls = z.array(z.object({ job_id: z.string(), calls: z.number() }));
const ids = z.array(z.object({ id: z.string() }));

/** The jobs that left something in the world, each as often as it did. */
async function effectsOf({ tier, mark }: Workload, harness: CrashHarness): Promise<string[]> {
  const readers: Record<Effect, () => string[] | Promise<string[]>> = {
    charge: () => {
      const mine = harness.stripe.ledger().filter(({ metadata }) => metadata['venue_id'] === mark);
      return mine.map(({ metadata }) => metadata['job_id'] ?? '');
    },
    mail: () => {
      const mine = harness.sendgrid.ledger().filter(({ to }) => to.endsWith(`@${mark}.example`));
      return mine.map(({ jobId }) => jobId ?? '');
    },
    event: async () => {
      const { rows } = await harness.environment.pool.query('SELECT id FROM analytics_events WHERE venue_id = $1', [
        mark,
      ]);
      return ids.parse(rows).map(({ id }) => id);
    },
  };
  return readers[TIER_WORK[tier].effect]();
}

/**
 * Each of these jobs did what it was asked, and no other did. Once; but a mail whose call somebody died over may have
 * been sent again, and then the ledger says so.
 * @returns how often something happened once more
 */
export async function expectEffects(harness: CrashHarness, workload: Workload, jobs: string[]): Promise<number> {
  const effects = await effectsOf(workload, harness);
  const once = [...new Set(effects)];
  expect(once.toSorted(byText)).toEqual(jobs.toSorted(byText));
  if (TIER_WORK[workload.tier].effect !== 'mail') expect(effects).toHaveLength(once.length);
  const { rows } = await harness.environment.pool.query(
    'SELECT job_id, sum(calls)::int AS calls FROM job_effects WHERE job_id = ANY($1::uuid[]) GROUP BY 1',
    [jobs],
  );
  for (const ledger of calls.parse(rows)) {
    expect(effects.filter((job) => job === ledger.job_id).length).toBeLessThanOrEqual(ledger.calls);
  }
  return effects.length - once.length;
}

/** Keys of open jobs that a tier's Redis still holds. */
export async function openInRedis({ environment }: Harness, tier: Tier): Promise<string[]> {
  const redis = tier === 'money' ? environment.redis : environment.lowerRedis[tier];
  const prefix = `${environment.variables['QUEUE_PREFIX']}:{${tier}}`;
  const queue = `${prefix}:${QUEUE_POLICIES[tier].queueName}`;
  const [records, waiting, active, prioritized, delayed] = await Promise.all([
    redis.keys(`${prefix}:job:*`),
    redis.lrange(`${queue}:wait`, 0, -1),
    redis.lrange(`${queue}:active`, 0, -1),
    redis.zrange(`${queue}:prioritized`, '0', '-1'),
    redis.zrange(`${queue}:delayed`, '0', '-1'),
  ]);
  return [...records, ...waiting, ...active, ...prioritized, ...delayed];
}

/** The records that a tier's Redis holds, and where its queue has them. */
export async function describeInRedis(harness: Harness, tier: Tier): Promise<unknown[]> {
  const keys = await openInRedis(harness, tier);
  if (tier === 'money') return [keys];
  const redis = harness.environment.lowerRedis[tier];
  const records = keys.filter((key) => key.includes(':job:'));
  return [keys, ...(await Promise.all(records.map((key) => redis.hgetall(key))))];
}

export function byText(left: string, right: string): number {
  return left < right ? -1 : 1;
}

import { TIERS, type Tier } from '../../../src/contract/names';
import type { Check } from '../checks';
import { medianOf } from '../figures';
import type { Contestant } from '../stage/contestants';
import { JOBS_PER_SECOND, jobsOf, runEndToEnd } from './end-to-end';
import { interleaved } from './interleaved';
import type { Row } from './row';
import { services } from './throughput';

const USUAL_JOBS = 8_000;

interface TierAtWork {
  name: string;
  tier: Tier;
  contestant: Contestant;
}

export const tiers: Row = {
  name: 'tiers',
  about: 'jobs of each tier from request to outcome',
  measure: async (stage) => {
    const jobs = jobsOf(stage, USUAL_JOBS);
    const atWork = services(stage).flatMap((contestant, older) =>
      TIERS.map((tier): TierAtWork => ({ name: older ? `${tier}, ${contestant.name}` : tier, tier, contestant })),
    );
    const measured = await interleaved(stage, atWork, ({ tier, contestant }) =>
      runEndToEnd(stage, contestant, { type: `canary-${tier}`, jobs }),
    );
    const rate = (tier: Tier): number => medianOf(measured, tier, JOBS_PER_SECOND);
    const lower = TIERS.filter((tier) => tier !== 'money');
    const checks = lower.map((tier): Check => ({
      what: `${tier} jobs/s, against money`,
      value: rate(tier) / rate('money'),
      first: 1.1,
      goal: 1.3,
      better: 'more',
      unit: ' ×',
    }));
    return { jobs, measured, checks };
  },
};

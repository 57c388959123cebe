import type { Check } from '../checks';
import { medianOf } from '../figures';
import { service } from '../stage/contestants';
import { installPeers, PEERS } from '../stage/peers';
import { JOBS_PER_SECOND, jobsOf, runEndToEnd } from './end-to-end';
import { interleaved } from './interleaved';
import type { Row } from './row';

/** Enough for those that do a few hundred a second. */
const USUAL_JOBS = 5_000;

export const peers: Row = {
  name: 'peers',
  about: 'the same work by what others would use, with the glue that they would write',
  measure: async (stage) => {
    installPeers();
    const jobs = jobsOf(stage, USUAL_JOBS);
    const ours = service('service', stage.build);
    const measured = await interleaved(stage, [ours, ...PEERS], (contestant) =>
      runEndToEnd(stage, contestant, { type: 'canary-money', jobs }),
    );
    const rates = PEERS.map(({ name }) => ({ name, rate: medianOf(measured, name, JOBS_PER_SECOND) }));
    const best = rates.reduce((one, other) => (other.rate > one.rate ? other : one));
    const check: Check = {
      what: `money jobs/s, against the best peer (${best.name})`,
      value: medianOf(measured, ours.name, JOBS_PER_SECOND) / best.rate,
      first: 1.2,
      goal: 1.5,
      better: 'more',
      unit: ' ×',
    };
    return { jobs, measured, checks: [check] };
  },
};

import type { Check } from '../checks';
import { medianOf, rounded, type Measured } from '../figures';
import { service, type Contestant } from '../stage/contestants';
import { installPeers, OTHER_PEERS, PLAIN_PEERS } from '../stage/peers';
import { JOBS_PER_SECOND, jobsOf, runEndToEnd } from './end-to-end';
import { interleaved } from './interleaved';
import type { Row } from './row';

/** Enough for those that do a few hundred a second. */
const USUAL_JOBS = 3_000;

export const peers: Row = {
  name: 'peers',
  about: 'the same work by what others would use, with the glue that they would write',
  measure: async (stage) => {
    installPeers();
    const jobs = jobsOf(stage, USUAL_JOBS);
    const ours = service('service', stage.build);
    const measured = await interleaved(stage, [ours, ...PLAIN_PEERS, ...OTHER_PEERS], (contestant) =>
      runEndToEnd(stage, contestant, { type: 'canary-money', jobs }),
    );
    const rate = medianOf(measured, ours.name, JOBS_PER_SECOND);
    const best = bestOf(PLAIN_PEERS, measured);
    const check: Check = {
      what: `money jobs/s, against the best peer (${best.name})`,
      value: rate / best.rate,
      first: 1.2,
      goal: 1.5,
      better: 'more',
      unit: ' ×',
    };
    const notes = ratesOf(OTHER_PEERS, measured).map(
      (other) => `Not part of the target: the service does ${rounded(rate / other.rate)} × what ${other.name} does.`,
    );
    return { jobs, measured, checks: [check], notes };
  },
};

function ratesOf(contestants: readonly Contestant[], measured: Measured[]): { name: string; rate: number }[] {
  return contestants.map(({ name }) => ({ name, rate: medianOf(measured, name, JOBS_PER_SECOND) }));
}

function bestOf(contestants: readonly Contestant[], measured: Measured[]): { name: string; rate: number } {
  return ratesOf(contestants, measured).reduce((one, other) => (other.rate > one.rate ? other : one));
}

import type { Check } from '../checks';
import { median, ratioInWords, ratiosOf, type Measured } from '../figures';
import { service, type Contestant } from '../stage/contestants';
import { withEarlierJobs, type EarlierState } from '../stage/earlier-jobs';
import { removeStores } from '../stage/place';
import { observable, untilRecovered, type Observable } from '../stage/recovered';
import type { Stage } from '../stage/stage';
import { takeTurn } from '../stage/turn';
import { cpuFigures, JOBS_PER_SECOND, jobsOf } from './end-to-end';
import { interleaved } from './interleaved';
import type { Row } from './row';

const TYPE = 'canary-money';
/** One turn is short: what counts is how many pairs there are. */
const USUAL_JOBS = 3_000;
const PAIRS = 20;
/** Jobs under way at the same time: as many as keep the service busy. */
const LEAD = 1_000;

/** Filled in no time, so that it is full when the clock starts. */
const WINDOW = { MONEY_WINDOW: '5000' };

interface Grown {
  name: string;
  state: EarlierState;
  jobs: number;
}

const GROWN: readonly Grown[] = [
  { name: '1,000,000 due', state: 'due', jobs: 1_000_000 },
  { name: '1,000,000 for later', state: 'later', jobs: 1_000_000 },
  { name: '10,000,000 old', state: 'ended', jobs: 10_000_000 },
];

export const growth: Row = {
  name: 'growth',
  about: 'money jobs of a system that holds many, pending or ended, against an empty one',
  measure: async (stage) => {
    const filled: string[] = [];
    const settings = { ...WINDOW, ...(await observable()) };
    try {
      const grown: Contestant[] = [];
      for (const one of GROWN) {
        const begun = performance.now();
        const name = await withEarlierJobs(stage.build, one.state, one.jobs, stage.signal);
        filled.push(name);
        console.log(`  a database was filled in ${Math.round((performance.now() - begun) / 1_000)} s: ${one.name}`);
        // Copies would take longer than the turns, which change little: they begin as many jobs as they end.
        grown.push({ ...service(one.name, stage.build, settings), database: { use: name } });
      }
      return await compare(stage, [service('empty', stage.build, settings), ...grown], settings);
    } finally {
      for (const name of filled) await removeStores(name);
    }
  },
};

async function compare(stage: Stage, [empty, ...grown]: [Contestant, ...Contestant[]], settings: Observable) {
  const jobs = jobsOf(stage, USUAL_JOBS);
  const measured = await interleaved(
    stage,
    [empty, ...grown],
    (contestant) => turn(stage, contestant, settings, jobs),
    PAIRS,
  );
  const ratios = grown.map(({ name }) => ({ name, values: ratiosOf(measured, JOBS_PER_SECOND, name, empty.name) }));
  const checks = ratios.map(({ name, values }): Check => ({
    what: `money jobs/s, ${name}, against an empty system`,
    value: median(values),
    first: 0.9,
    goal: 0.97,
    better: 'more',
    unit: ' ×',
  }));
  const notes = ratios.map(({ name, values }) => `${name}: ${ratioInWords(values)}`);
  return { jobs, measured: [...measured, ...ratios.map(toMeasured)], checks, notes };
}

function turn(
  stage: Stage,
  contestant: Contestant,
  settings: Observable,
  jobs: number,
): Promise<Record<string, number>> {
  return takeTurn(stage, contestant, async ({ drive, cpu }) => {
    // What a start costs is not what a job costs.
    await untilRecovered(settings);
    const [before, begun] = [cpu.read(), performance.now()];
    const { seconds } = await drive.flow(TYPE, jobs, LEAD);
    const all = (performance.now() - begun) / 1_000;
    return { [JOBS_PER_SECOND]: jobs / seconds, ...cpuFigures(cpu.since(before), jobs + LEAD, all) };
  });
}

function toMeasured({ name, values }: { name: string; values: number[] }): Measured {
  return { contestant: name, figure: 'against empty', values };
}

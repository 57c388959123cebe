import type { Check } from '../checks';
import { medianOf, percentile } from '../figures';
import { bare } from '../stage/contestants';
import type { Stage } from '../stage/stage';
import { takeTurn, type Turn } from '../stage/turn';
import { cpuFigures, CPU_PER_JOB, jobsOf, warmUpOf } from './end-to-end';
import { interleaved } from './interleaved';
import type { Row } from './row';
import { services } from './throughput';

const TYPE = 'canary-money';
const PERCENTILES = [
  { name: 'p50', share: 0.5, first: 10, goal: 6 },
  { name: 'p95', share: 0.95, first: 25, goal: 10 },
  { name: 'p99', share: 0.99, first: 50, goal: 18 },
];
/** Each rate is kept up for so long, unless `--jobs` has fewer jobs. */
const SECONDS = 10;
const CALM = 100;
const BUSY = 1_000;

export const latency: Row = {
  name: 'latency',
  about: `from publishing a request to receiving its outcome, ${CALM} and ${BUSY} requests a second, however long they take`,
  measure: async (stage) => {
    const measured = await interleaved(stage, [bare, ...services(stage)], (contestant) =>
      takeTurn(stage, contestant, async (turn) => {
        await turn.drive.burst(TYPE, warmUpOf(BUSY * SECONDS));
        await turn.drive.verify();
        return { ...(await paced(stage, turn, CALM)), ...(await paced(stage, turn, BUSY)) };
      }),
    );
    const checks = PERCENTILES.map(({ name, first, goal }): Check => ({
      what: `latency at ${CALM}/s, ${name}`,
      value: medianOf(measured, 'service', figure(CALM, name)),
      first,
      goal,
      better: 'less',
      unit: ' ms',
    }));
    checks.push({
      what: `latency at ${BUSY}/s, p95, no more than that of the bare pipeline`,
      value: medianOf(measured, 'service', figure(BUSY, 'p95')),
      first: medianOf(measured, 'bare', figure(BUSY, 'p95')),
      goal: 30,
      better: 'less',
      unit: ' ms',
    });
    return { jobs: jobsOf(stage, BUSY * SECONDS), measured, checks };
  },
};

const figure = (rate: number, name: string): string => `ms at ${rate}/s, ${name}`;

async function paced(stage: Stage, { drive, cpu }: Turn, rate: number): Promise<Record<string, number>> {
  const jobs = Math.min(jobsOf(stage, rate * SECONDS), rate * SECONDS);
  const before = cpu.read();
  const waits = await drive.pace(TYPE, jobs, rate);
  const used = cpuFigures(cpu.since(before), jobs, jobs / rate);
  return {
    ...Object.fromEntries(PERCENTILES.map(({ name, share }) => [figure(rate, name), percentile(waits, share)])),
    ...(used[CPU_PER_JOB] === undefined ? {} : { [`CPU ms/job at ${rate}/s`]: used[CPU_PER_JOB] }),
  };
}

import { z } from 'zod';
import { alignedTable } from '../../../tools/demo/table';
import type { Check } from '../checks';
import { rounded } from '../figures';
import type { Program } from '../stage/program';
import type { Stage } from '../stage/stage';
import { takeTurn, type Turn } from '../stage/turn';
import { JOBS_PER_SECOND, jobsOf } from './end-to-end';
import type { Row } from './row';
import { services } from './throughput';

const TYPE = 'canary-money';
const USUAL_JOBS = 1_000_000;
/** So many parts; memory is read after each. */
const PARTS = 20;
/** What the end is compared with: caches, pools and compiled code are there by then. */
const SETTLED_PART = PARTS / 5;
const PROBE_LIMIT_MS = 60_000;
const MB = 1_048_576;

const memoryUsage = z.object({ rss: z.number(), heapUsed: z.number(), external: z.number() });

interface Reading extends z.infer<typeof memoryUsage> {
  jobs: number;
  jobsPerSecond: number;
}

export const soak: Row = {
  name: 'soak',
  about: 'memory of one service process over many money jobs, after garbage collection',
  measure: async (stage) => {
    const part = Math.ceil(jobsOf(stage, USUAL_JOBS) / PARTS);
    const soaked: { name: string; readings: Reading[] }[] = [];
    for (const contestant of services(stage)) {
      const readings = await takeTurn(stage, contestant, (turn) => work(stage, turn, part));
      soaked.push({ name: contestant.name, readings });
    }
    const checks = soaked.slice(0, 1).map(({ readings }): Check => ({
      what: 'memory after all jobs, against that after a fifth of them',
      value: growthOf(readings),
      first: 1.15,
      goal: 1.05,
      better: 'less',
      unit: ' ×',
    }));
    return {
      jobs: part * PARTS,
      measured: soaked.flatMap(({ name, readings }) => figuresOf(name, readings)),
      checks,
      notes: soaked.map(({ name, readings }) => readingsTable(name, readings)),
    };
  },
};

async function work({ signal }: Stage, { drive, program }: Turn, part: number): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (let done = 1; done <= PARTS; done += 1) {
    signal.throwIfAborted();
    const { seconds } = await drive.burst(TYPE, part);
    await drive.verify();
    const reading = { jobs: done * part, jobsPerSecond: part / seconds, ...(await readMemory(program)) };
    console.log(`  ${reading.jobs} jobs: ${rounded(reading.rss / MB)} MB`);
    readings.push(reading);
  }
  return readings;
}

function readMemory(program: Program): Promise<z.infer<typeof memoryUsage>> {
  return program.ask({ ask: 'memory' }, memoryUsage, PROBE_LIMIT_MS);
}

function growthOf(readings: Reading[]): number {
  return (readings.at(-1)?.rss ?? Number.NaN) / (readings[SETTLED_PART - 1]?.rss ?? Number.NaN);
}

function figuresOf(contestant: string, readings: Reading[]) {
  const figures: [string, (reading: Reading) => number][] = [
    ['RSS MB', ({ rss }) => rss / MB],
    ['heap MB', ({ heapUsed }) => heapUsed / MB],
    ['external MB', ({ external }) => external / MB],
    [JOBS_PER_SECOND, ({ jobsPerSecond }) => jobsPerSecond],
  ];
  return figures.map(([figure, read]) => ({ contestant, figure, values: readings.map(read) }));
}

function readingsTable(name: string, readings: Reading[]): string {
  return alignedTable(
    [`jobs done, ${name}`, 'RSS MB', 'heap MB', 'external MB', JOBS_PER_SECOND],
    readings.map(({ jobs, rss, heapUsed, external, jobsPerSecond }) => [
      String(jobs),
      ...[rss / MB, heapUsed / MB, external / MB, jobsPerSecond].map(rounded),
    ]),
  );
}

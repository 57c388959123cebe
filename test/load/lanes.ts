/**
 * Compares the ways of test/load/arrangements.ts, interleaved, and prints for each figure the median and the spread of
 * the rounds: `npm run bench:lanes [rounds]`.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createLogger } from '../../src/platform/logger';
import type { QueuedJob } from '../../src/queues/ref';
import { alignedTable } from '../../tools/demo/table';
import { givingBack, lanes, paced, type Arrangement, type Ground } from './arrangements';
import { percentile, summary } from './figures';
import { RedisMeter } from './redis-meter';

const ARRANGEMENTS: Record<string, (ground: Ground) => Arrangement> = {
  'giving back': givingBack,
  paced,
  lanes,
};
const SLOW_MS = 50;
const BACKLOG = 2_000;
const FAST_ALONE = 10_000;
const ARRIVALS = { everyMs: 20, each: 20, times: 250 };
const IDLE_MS = 10_000;
const TWO_TYPES = { slow: 5, fast: 400 };
/** As the money queue will have. */
const SIX_TYPES = { one: 5, two: 3, three: 3, four: 3, five: 10, six: 400 };

type Figures = Record<string, number>;
/** One figure of one trial. */
interface Measured {
  contestant: string;
  figure: string;
  value: number;
}
type Scenario = (trial: Trial) => Promise<Figures>;

/** One arrangement at work on its own keys. */
class Trial {
  readonly meter: RedisMeter;
  /** Milliseconds between adding and starting, and when each job was done, by type, in the order of their ends. */
  readonly ended: { type: string; waitMs: number }[] = [];
  private readonly addedAt = new Map<string, number>();
  private readonly arrangement: Arrangement;
  private readonly prefix = `lanes-${randomUUID()}`;

  constructor(
    private readonly redis: Redis,
    redisUrl: string,
    limits: Record<string, number>,
    build: (ground: Ground) => Arrangement,
  ) {
    this.meter = new RedisMeter(redis);
    this.arrangement = build({
      redis,
      redisUrl,
      prefix: this.prefix,
      log: createLogger({ level: 'warn', service: 'lanes' }),
      limits,
      work: async ({ jobId }, type) => {
        const waitMs = performance.now() - (this.addedAt.get(jobId) ?? 0);
        if (type === 'slow') await sleep(SLOW_MS);
        this.ended.push({ type, waitMs });
      },
    });
  }

  async add(type: string, count: number, priority = 10): Promise<void> {
    const jobs = Array.from({ length: count }, (): QueuedJob => {
      return { jobId: randomUUID(), generation: 1, dispatch: 1, type, priority, delayMs: 0 };
    });
    for (const { jobId } of jobs) this.addedAt.set(jobId, performance.now());
    await this.arrangement.add(jobs);
  }

  start(): void {
    this.arrangement.start();
  }

  /** The Redis may be somebody's: only the trial's own keys are removed. */
  async close(): Promise<void> {
    await this.arrangement.close();
    for await (const keys of this.redis.scanStream({ match: `${this.prefix}:*`, count: 1_000 })) {
      if (Array.isArray(keys) && keys.length > 0) await this.redis.unlink(...keys.map(String));
    }
  }

  count(type: string): number {
    return this.ended.filter((job) => job.type === type).length;
  }

  async untilDone(type: string, count: number): Promise<void> {
    while (this.count(type) < count) await sleep(5);
  }
}

async function fastAlone(trial: Trial): Promise<Figures> {
  for (let added = 0; added < FAST_ALONE; added += 1_000) await trial.add('fast', 1_000);
  const begun = performance.now();
  const before = await trial.meter.read();
  trial.start();
  await trial.untilDone('fast', FAST_ALONE);
  const seconds = (performance.now() - begun) / 1_000;
  const { commands } = await trial.meter.since(before);
  return { 'fast jobs/s': FAST_ALONE / seconds, 'commands/job': commands / FAST_ALONE };
}

function beside(backlog: number, fastPriority: number): Scenario {
  return async (trial) => {
    const empty = await trial.meter.read();
    await trial.add('slow', backlog);
    const { memoryKb } = await trial.meter.since(empty);
    const cpu = process.cpuUsage();
    const before = await trial.meter.read();
    const begun = performance.now();
    trial.start();
    for (let time = 0; time < ARRIVALS.times; time += 1) {
      await trial.add('fast', ARRIVALS.each, fastPriority);
      await sleep(Math.max(0, begun + (time + 1) * ARRIVALS.everyMs - performance.now()));
    }
    await trial.untilDone('fast', ARRIVALS.each * ARRIVALS.times);
    const seconds = (performance.now() - begun) / 1_000;
    const { commands, redisCpuMs } = await trial.meter.since(before);
    const { user, system } = process.cpuUsage(cpu);
    const waits = trial.ended.filter(({ type }) => type === 'fast').map(({ waitMs }) => waitMs);
    return {
      'fast jobs/s': waits.length / seconds,
      'fast wait p50 ms': percentile(waits, 0.5),
      'fast wait p95 ms': percentile(waits, 0.95),
      'slow jobs/s': trial.count('slow') / seconds,
      'commands/job': commands / trial.ended.length,
      'CPU ms/job, process': (user + system) / 1_000 / trial.ended.length,
      'CPU ms/job, Redis': redisCpuMs / trial.ended.length,
      'Redis kB of the backlog': memoryKb,
    };
  };
}

async function idle(trial: Trial): Promise<Figures> {
  trial.start();
  await sleep(1_000);
  const before = await trial.meter.read();
  await sleep(IDLE_MS);
  const { commands, connections } = await trial.meter.since(before);
  return { connections, 'commands/s': commands / (IDLE_MS / 1_000) };
}

/** Both may run as many as they like; 1 when every urgent job went before every relaxed one, 0.5 when they went evenly. */
async function priorities(trial: Trial): Promise<Figures> {
  await trial.add('fast', BACKLOG, 3);
  await trial.add('urgent', BACKLOG, 10);
  trial.start();
  await Promise.all([trial.untilDone('fast', BACKLOG), trial.untilDone('urgent', BACKLOG)]);
  const firstHalf = trial.ended.slice(0, BACKLOG).filter(({ type }) => type === 'urgent').length;
  return { 'share of urgent jobs in the first half': firstHalf / BACKLOG };
}

const SCENARIOS: { name: string; limits: Record<string, number>; run: Scenario }[] = [
  { name: 'fast alone', limits: TWO_TYPES, run: fastAlone },
  { name: 'beside a slow backlog', limits: TWO_TYPES, run: beside(BACKLOG, 10) },
  { name: 'beside a more urgent slow backlog', limits: TWO_TYPES, run: beside(BACKLOG, 7) },
  { name: 'beside a long slow backlog', limits: TWO_TYPES, run: beside(10 * BACKLOG, 10) },
  { name: 'idle, six types', limits: SIX_TYPES, run: idle },
  { name: 'priority across types', limits: { fast: 400, urgent: 400 }, run: priorities },
];

/** A round of every arrangement; who goes first changes, so that nobody always finds the warmer machine. */
async function playRound(redis: Redis, redisUrl: string, round: number, { limits, run }: (typeof SCENARIOS)[number]) {
  const order = Object.entries(ARRANGEMENTS);
  if (round % 2 === 1) order.reverse();
  const figures: Measured[] = [];
  for (const [contestant, build] of order) {
    const trial = new Trial(redis, redisUrl, limits, build);
    try {
      const measured = Object.entries(await run(trial));
      figures.push(...measured.map(([figure, value]) => ({ contestant, figure, value })));
    } finally {
      await trial.close();
    }
  }
  return figures;
}

async function compare(redis: Redis, redisUrl: string, rounds: number): Promise<string> {
  const contestants = Object.keys(ARRANGEMENTS);
  const rows: string[][] = [];
  for (const scenario of SCENARIOS) {
    const seen: Measured[] = [];
    for (let round = 0; round < rounds; round += 1) seen.push(...(await playRound(redis, redisUrl, round, scenario)));
    for (const figure of new Set(seen.map((one) => one.figure))) {
      const valuesOf = (contestant: string): number[] =>
        seen.filter((one) => one.figure === figure && one.contestant === contestant).map(({ value }) => value);
      rows.push([scenario.name, figure, ...contestants.map((contestant) => summary(valuesOf(contestant)))]);
    }
    console.log(`measured: ${scenario.name}`);
  }
  return alignedTable(['scenario', 'figure', ...contestants], rows);
}

async function main(rounds: number): Promise<void> {
  const redisUrl = process.env['REDIS_MONEY_URL'];
  if (redisUrl === undefined) throw new Error('REDIS_MONEY_URL is not set: run it through npm run bench:lanes');
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  try {
    await once(redis, 'ready');
    console.log(await compare(redis, redisUrl, rounds));
  } finally {
    redis.disconnect();
  }
}

main(Number(process.argv[2] ?? 5)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

/**
 * Ways to let several job types with limits of their own share one queue, made of the parts that the service uses.
 * docs/decisions/007-lanes.md tells what came of it.
 */
import type { Redis } from 'ioredis';
import { TypeSlots } from '../../src/execution/type-slots';
import type { Logger } from '../../src/platform/logger';
import { JobQueue } from '../../src/queues/queue';
import type { JobRef, QueuedJob } from '../../src/queues/ref';
import { QueueWorker, type Disposal } from '../../src/queues/worker';

/** What all arrangements have in common. */
export interface Ground {
  redis: Redis;
  redisUrl: string;
  prefix: string;
  log: Logger;
  /** How many jobs of each type may run at the same time. */
  limits: Record<string, number>;
  work: (ref: JobRef, type: string) => Promise<void>;
}

export interface Arrangement {
  add: (jobs: QueuedJob[]) => Promise<void>;
  start: () => void;
  close: () => Promise<void>;
}

type Run = (ref: JobRef, type: string) => Promise<Disposal>;

const FINISHED: Disposal = { kind: 'finished' };
/** Jobs that a process holds at the same time: twice a settling batch, as in the service. */
const HELD = 400;
const NO_SLOT_MS = 250;

/** One queue; whoever finds no slot of its type comes back after about a quarter of a second. */
export function givingBack(ground: Ground): Arrangement {
  const slots = new TypeSlots((type) => ground.limits[type] ?? 1);
  return oneQueue(ground, slots, () => Math.round(NO_SLOT_MS * (0.5 + Math.random())));
}

/** One queue; whoever finds no slot of its type comes back when those that were sent away before it have had theirs. */
export function paced(ground: Ground): Arrangement {
  const limitOf = (type: string): number => ground.limits[type] ?? 1;
  const turns = new Map<string, number>();
  const holdMs = new Map<string, number>();
  const work: Ground['work'] = async (ref, type) => {
    const begun = performance.now();
    await ground.work(ref, type);
    holdMs.set(type, 0.9 * (holdMs.get(type) ?? 0) + 0.1 * (performance.now() - begun));
  };
  return oneQueue({ ...ground, work }, new TypeSlots(limitOf), (type) => {
    const now = performance.now();
    const turn = Math.max(now, turns.get(type) ?? 0) + (holdMs.get(type) ?? 0) / limitOf(type);
    turns.set(type, turn);
    return Math.round(turn - now);
  });
}

/** One queue for each type, with a worker that holds as many jobs as the type may run. */
export function lanes(ground: Ground): Arrangement {
  const run: Run = async (ref, type) => {
    await ground.work(ref, type);
    return FINISHED;
  };
  const byType = new Map(
    Object.entries(ground.limits).map(([type, limit]) => [type, laneOf(ground, `queue.${type}`, limit, run)]),
  );
  const all = [...byType.values()];
  return {
    add: async (jobs) => {
      const adding = [...byType].map(([type, lane]) => lane.add(jobs.filter((job) => job.type === type)));
      await Promise.all(adding);
    },
    start: () => {
      for (const lane of all) lane.start();
    },
    close: async () => {
      await Promise.all(all.map((lane) => lane.close()));
    },
  };
}

function oneQueue(ground: Ground, slots: TypeSlots, delayOf: (type: string) => number): Arrangement {
  return laneOf(ground, 'queue', HELD, async (ref, type) => {
    const release = await slots.acquire(type);
    if (!release) return { kind: 'again', delayMs: delayOf(type) };
    try {
      await ground.work(ref, type);
      return FINISHED;
    } finally {
      release();
    }
  });
}

function laneOf({ redis, redisUrl, prefix, log }: Ground, name: string, concurrency: number, run: Run): Arrangement {
  const queue = new JobQueue(redis, { name, prefix, timeoutMs: 30_000, keep: 0 }, log);
  const options = { name, prefix, redisUrl, concurrency, lockMs: 10_000, stalledCheckMs: 5_000 };
  const worker = new QueueWorker(options, run, log);
  return {
    add: (jobs) => queue.add(jobs),
    start: () => worker.start(),
    close: async () => {
      await worker.close();
      await queue.close();
    },
  };
}

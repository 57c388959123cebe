import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import { within } from '../platform/time';
import { bullId, bullPriority, type JobRef, type QueuedJob } from './ref';

export interface QueueOptions {
  /** The queue's name in BullMQ. */
  name: string;
  /** Before every key; the tier stands in braces, so that a cluster keeps all keys of a queue in one slot. */
  prefix: string;
  /** An add that Redis does not answer in this time counts as failed, though it may have happened. */
  timeoutMs: number;
  /** Finished jobs that stay in Redis to be looked at. */
  keep: number;
}

/** Nothing here reads BullMQ's event stream; it is kept short. */
const EVENT_STREAM_LENGTH = 1_000;
const STOP_TIMEOUT_MS = 5_000;

/** The side of a BullMQ queue that hands jobs over and looks at them. */
export class JobQueue {
  private readonly queue: Queue;

  constructor(
    private readonly redis: Redis,
    private readonly options: QueueOptions,
    log: Logger,
  ) {
    this.queue = new Queue(options.name, {
      connection: redis,
      prefix: options.prefix,
      // Its first command would otherwise decide, by failing once, that this queue never works.
      skipVersionCheck: true,
      streams: { events: { maxLen: EVENT_STREAM_LENGTH } },
    });
    this.queue.on('error', (error) => log.warn('queue error', { queue: options.name, error: describeError(error) }));
  }

  /**
   * Hands jobs over. Adding one that Redis still holds does nothing, which is why every new handing-over has a new
   * dispatch number.
   */
  async add(jobs: QueuedJob[]): Promise<void> {
    if (jobs.length === 0) return;
    const adding = () => this.queue.addBulk(jobs.map((job) => toBullJob(job, this.options.keep)));
    await this.inTime('handing jobs to Redis', adding);
  }

  /** Which of these Redis holds, in whatever state. */
  async holds(jobs: JobRef[]): Promise<boolean[]> {
    if (jobs.length === 0) return [];
    const pipeline = this.redis.pipeline();
    for (const job of jobs) pipeline.exists(this.queue.toKey(bullId(job)));
    const answers = (await pipeline.exec()) ?? [];
    return answers.map(([error, exists]) => {
      if (error) throw error;
      return exists === 1;
    });
  }

  /** Jobs that Redis holds and that are not finished. */
  async size(): Promise<number> {
    const counts = await this.inTime('counting jobs', () =>
      this.queue.getJobCounts('wait', 'prioritized', 'delayed', 'active'),
    );
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  }

  /** How many of those are not due within `ms`. */
  async sizeOfLater(ms: number): Promise<number> {
    const [all, soon] = await this.inTime('counting delayed jobs', () =>
      Promise.all([this.queue.getDelayedCount(), this.queue.getDelayedCount(Date.now() + ms)]),
    );
    return Math.max(0, all - soon);
  }

  async close(): Promise<void> {
    await within(STOP_TIMEOUT_MS, 'closing a queue', this.queue.close());
  }

  /** BullMQ would wait for the connection, for as long as it takes; the caller has something better to do. */
  private async inTime<Value>(what: string, work: () => Promise<Value>): Promise<Value> {
    if (this.redis.status !== 'ready') throw new Error('Redis is not connected');
    return within(this.options.timeoutMs, what, work());
  }
}

function toBullJob(job: QueuedJob, keep: number) {
  const { jobId, generation, dispatch } = job;
  return {
    name: job.type,
    data: { jobId, generation, dispatch } satisfies JobRef,
    opts: {
      jobId: bullId(job),
      // BullMQ's most urgent is the absence of a priority, which also takes its fastest path.
      ...(bullPriority(job.priority) > 0 ? { priority: bullPriority(job.priority) } : {}),
      ...(job.delayMs > 0 ? { delay: job.delayMs } : {}),
      // Finished jobs are PostgreSQL's to remember.
      removeOnComplete: keep === 0 ? true : keep,
      removeOnFail: true,
    },
  };
}

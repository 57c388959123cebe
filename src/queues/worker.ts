import { DelayedError, Worker, type Job } from 'bullmq';
import { Redis } from 'ioredis';
import { coalesceWrites } from '../platform/coalesce-writes';
import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import { within } from '../platform/time';
import { jobRef, priorityOf, type JobRef } from './ref';

export interface WorkerOptions {
  name: string;
  prefix: string;
  redisUrl: string;
  /** Jobs that the process holds at the same time; at least twice a settling batch, or they wait for each other. */
  concurrency: number;
  /** A job whose worker did not renew its lock for so long is taken to be abandoned, and run by another. */
  lockMs: number;
  /** How often abandoned jobs are looked for. */
  stalledCheckMs: number;
}

/** What to do with a job after it was looked at. */
export type Disposal = { kind: 'finished' } | { kind: 'again'; delayMs: number };

/** BullMQ decides nothing about attempts or abandonment: both are counted in the job's record. */
const OUT_OF_REACH = 1_000_000_000;
const CLOSE_TIMEOUT_MS = 5_000;
/** A line without an answer for so long is dead and is replaced; BullMQ waits for a job for 10 s at most. */
const SILENCE_MS = 15_000;
const RECONNECT_STEP_MS = 50;
const RECONNECT_CAP_MS = 1_000;
/** After an unexpected failure, so that a broken dependency is not asked in a tight loop. */
const ERROR_DELAY_MS = 1_000;

/** Takes jobs from BullMQ and gives them to `run`, which tells what becomes of them. */
export class QueueWorker {
  private readonly worker: Worker;
  private readonly redis: Redis;

  constructor(
    options: WorkerOptions,
    private readonly run: (ref: JobRef, type: string, priority: number) => Promise<Disposal>,
    private readonly log: Logger,
  ) {
    this.redis = new Redis(options.redisUrl, {
      maxRetriesPerRequest: null,
      socketTimeout: SILENCE_MS,
      retryStrategy: (times) => Math.min(RECONNECT_CAP_MS, times * RECONNECT_STEP_MS),
    });
    this.redis.on('connect', () => coalesceWrites(this.redis.stream));
    // The worker tells of them.
    this.redis.on('error', () => undefined);
    this.worker = new Worker(options.name, (job, token) => this.process(job, token), {
      connection: this.redis,
      prefix: options.prefix,
      concurrency: options.concurrency,
      lockDuration: options.lockMs,
      stalledInterval: options.stalledCheckMs,
      maxStalledCount: OUT_OF_REACH,
      autorun: false,
    });
    this.worker.on('error', (error) => log.warn('worker error', { queue: options.name, error: describeError(error) }));
  }

  start(): void {
    this.worker.run().catch((error: unknown) => this.log.error('worker stopped', { error: describeError(error) }));
  }

  /** Takes no more jobs and waits until those that run have ended. */
  async drain(): Promise<void> {
    await this.worker.pause();
  }

  async close(): Promise<void> {
    try {
      await within(CLOSE_TIMEOUT_MS, 'closing a worker', this.worker.close(true));
    } finally {
      this.redis.disconnect();
    }
  }

  private async process(job: Job, token: string | undefined): Promise<void> {
    const disposal = await this.dispose(job);
    if (disposal.kind === 'finished') return;
    await job.moveToDelayed(Date.now() + disposal.delayMs, token);
    throw new DelayedError();
  }

  private async dispose(job: Job): Promise<Disposal> {
    const ref = jobRef.safeParse(job.data);
    if (!ref.success) {
      this.log.error('a queued job cannot be read and is dropped', { bullId: job.id ?? '' });
      return { kind: 'finished' };
    }
    try {
      return await this.run(ref.data, job.name, priorityOf(job.priority));
    } catch (error) {
      this.log.warn('job put back', { jobId: ref.data.jobId, error: describeError(error) });
      return { kind: 'again', delayMs: ERROR_DELAY_MS };
    }
  }
}

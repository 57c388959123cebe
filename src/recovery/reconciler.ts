/**
 * Keeps Redis true to PostgreSQL for money jobs: PostgreSQL knows which jobs are open, Redis is only the window through
 * which workers see them.
 *
 * Every second: has Redis forgotten something? A mark that is missing (emptied) or behind ours (went back in time), or
 * another run of the server, means yes; then every open job that Redis does not hold is handed over again under a new
 * dispatch number. Once in a while, and when a worker has died: the same for jobs that should have moved long ago. Always:
 * feed the jobs that wait in PostgreSQL as Redis has room for them.
 *
 * A job that runs is its worker's: it is handed over when its attempt must be over, or its worker is dead.
 *
 * Runs in the process that holds the scheduler's lease, never as a job of the queue that it repairs. Everything here may
 * be interrupted anywhere: PostgreSQL remembers a mark only after a whole pass.
 */
import { handOver, toQueued } from '../execution/hand-over';
import type { Dispatch } from '../jobs/dispatch';
import type { DispatchedJob } from '../jobs/job';
import type { QueueMarker } from '../jobs/markers';
import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import type { Metrics } from '../platform/metrics';
import { Loop } from '../platform/time';
import type { RedisMemory } from '../queues/marker';
import type { QueuedJob } from '../queues/ref';
import { whatWasForgotten, type Forgetting } from './forgetting';

export interface ReconcilerSteps {
  isLeader: () => boolean;
  readMemory: () => Promise<RedisMemory>;
  /** Replaces the mark that was found; false when it is not there any more. */
  leaveMarker: (found: number | undefined, marker: number) => Promise<boolean>;
  readMarker: () => Promise<QueueMarker | undefined>;
  writeMarker: (marker: QueueMarker) => Promise<void>;
  /** Workers whose process is known to have died: what they ran need not be waited for. */
  readDeadWorkers: () => Promise<string[]>;
  readOpen: (
    page: { after: string; limit: number; overdueByMs: number | null },
    deadWorkers: string[],
  ) => Promise<Dispatch[]>;
  holds: (jobs: DispatchedJob[]) => Promise<boolean[]>;
  raiseDispatch: (jobs: DispatchedJob[], deadWorkers: string[]) => Promise<Dispatch[]>;
  enqueue: (jobs: QueuedJob[]) => Promise<void>;
  markNotQueued: (jobIds: string[]) => Promise<void>;
  size: () => Promise<number>;
  takeWaiting: (limit: number) => Promise<Dispatch[]>;
  /** Jobs that have expired before it was their turn. */
  takeExpiredBehind: (limit: number) => Promise<Dispatch[]>;
  reopenResolved: () => Promise<number>;
}

export interface ReconcilerOptions {
  /** Jobs that Redis may hold. */
  window: number;
  checkEveryMs: number;
  overdueEveryMs: number;
  /** A job is looked for when it should have moved so long ago. */
  overdueByMs: number;
}

export function recoveryMetrics(metrics: Metrics) {
  return {
    recovered: metrics.counter('recovered_jobs_total', 'Jobs handed to Redis again', ['reason']),
    passes: metrics.counter('recovery_passes_total', 'Passes over the open jobs', ['reason']),
    fed: metrics.counter('fed_jobs_total', 'Jobs handed to Redis after waiting in PostgreSQL'),
    reopened: metrics.counter('reopened_jobs_total', 'Jobs in doubt whose effects became known'),
  };
}

type PassReason = 'started' | Forgetting | 'overdue' | 'worker_died';

const PAGE = 1_000;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

export class Reconciler {
  private readonly loop: Loop;
  /** Redis is known to hold what it should; until then, and after every interruption, it is compared as a whole. */
  private caughtUp = false;
  private overdueAt = 0;
  /** Dead workers whose jobs were looked for. */
  private buried = new Set<string>();

  constructor(
    private readonly steps: ReconcilerSteps,
    private readonly options: ReconcilerOptions,
    private readonly metrics: ReturnType<typeof recoveryMetrics>,
    private readonly log: Logger,
  ) {
    this.loop = new Loop(
      () => this.tick(),
      options.checkEveryMs,
      (error) => log.warn('reconciler could not finish', { error: describeError(error) }),
    );
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Looks now, not at the next second. */
  poke(): void {
    this.loop.poke();
  }

  private async tick(): Promise<void> {
    if (!this.steps.isLeader()) {
      this.caughtUp = false;
      return;
    }
    await this.checkMemory();
    await this.checkWorkers();
    if (performance.now() >= this.overdueAt) await this.checkOverdue();
    await this.feed();
  }

  private async checkMemory(): Promise<void> {
    const [memory, known] = await Promise.all([this.steps.readMemory(), this.steps.readMarker()]);
    const reason = this.caughtUp ? whatWasForgotten(memory, known) : 'started';
    this.caughtUp = false;
    let marker = Math.max(memory.marker ?? 0, known?.marker ?? 0) + 1;
    // Only the mark that was found is replaced: one that vanished meanwhile tells of another loss, and so does, after a
    // pass, the absence of the mark that was left before it.
    if (!(await this.steps.leaveMarker(memory.marker, marker))) return;
    if (reason) {
      await this.handOverMissing(reason, null);
      if (!(await this.steps.leaveMarker(marker, marker + 1))) return;
      marker += 1;
    }
    // Redis first: PostgreSQL must never remember a mark that Redis was not given.
    await this.steps.writeMarker({ marker, incarnation: memory.incarnation });
    this.caughtUp = true;
  }

  private async checkWorkers(): Promise<void> {
    const dead = await this.steps.readDeadWorkers();
    if (dead.some((worker) => !this.buried.has(worker))) {
      await this.handOverMissing('worker_died', this.options.overdueByMs);
    }
    this.buried = new Set(dead);
  }

  private async checkOverdue(): Promise<void> {
    await this.handOverMissing('overdue', this.options.overdueByMs);
    const reopened = await this.steps.reopenResolved();
    this.metrics.reopened.inc(reopened);
    this.overdueAt = performance.now() + this.options.overdueEveryMs;
  }

  /** Goes through the open jobs in pages and hands those over again that Redis does not hold. */
  private async handOverMissing(reason: PassReason, overdueByMs: number | null): Promise<void> {
    let after = FIRST_ID;
    let recovered = 0;
    const dead = await this.steps.readDeadWorkers();
    for (;;) {
      const page = await this.steps.readOpen({ after, limit: PAGE, overdueByMs }, dead);
      const held = await this.steps.holds(page);
      recovered += await this.handOver(
        page.filter((_, index) => !held[index]),
        dead,
      );
      const last = page.at(-1);
      if (!last || page.length < PAGE) break;
      if (!this.steps.isLeader()) throw new Error('the lease was lost in the middle of a pass');
      after = last.jobId;
    }
    this.metrics.passes.inc({ reason });
    this.metrics.recovered.inc({ reason }, recovered);
    if (recovered > 0) this.log.warn('jobs handed to Redis again', { reason, jobs: recovered });
  }

  private async handOver(missing: Dispatch[], deadWorkers: string[]): Promise<number> {
    if (missing.length === 0) return 0;
    const raised = await this.steps.raiseDispatch(missing, deadWorkers);
    await this.steps.enqueue(raised.map(toQueued));
    return raised.length;
  }

  private async feed(): Promise<void> {
    const room = this.options.window - (await this.steps.size());
    if (room <= 0) return;
    // Before all others: there is nothing to do for them but to say that it is too late.
    const expired = await this.steps.takeExpiredBehind(Math.min(room, PAGE));
    await handOver(expired, this.steps);
    const jobs = await this.steps.takeWaiting(Math.min(room - expired.length, PAGE));
    await handOver(jobs, this.steps);
    this.metrics.fed.inc(expired.length + jobs.length);
    if (expired.length === PAGE || jobs.length === PAGE) this.loop.poke();
  }
}

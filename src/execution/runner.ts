/**
 * The journey of one job from Redis: load → admit → guard → perform → settle.
 *
 * What may crash where: before the guard, nothing happened, and BullMQ or the reconciler brings the job again. After the
 * guard, the job is `processing` with a start that never finished; whoever gets it next treats it as a suspect and asks
 * the ledger of effects before anything else. During the settle, the transaction happened or it did not. After it, BullMQ
 * may bring the job once more, and the guard finds it finished.
 */
import { QUEUE_POLICIES } from '../catalogue/queues';
import type { Handler } from '../handlers/handler';
import type { DispatchedJob } from '../jobs/job';
import type { Settlement } from '../jobs/settle';
import type { StartedJob } from '../jobs/start';
import { describeError, type Logger } from '../platform/logger';
import type { GateAnswer } from '../limits/gate';
import { FREE_PASS, type Pass } from '../limits/pass';
import type { Applicant } from '../limits/store';
import type { Metrics } from '../platform/metrics';
import type { Disposal } from '../queues/worker';
import { Attempt } from './attempt';
import type { AttemptEnd } from './decide';
import { EffectLedger, type EffectSteps } from './effect-ledger';
import type { ForcedEnd, Guard, GuardAnswer } from './guard';
import { settleStorable } from './settle-storable';
import type { Ending, EndingAnswer, Settler } from './settler';
import type { TypeSlots } from './type-slots';

export interface RunnerParts {
  handlers: Map<string, Handler>;
  slots: TypeSlots;
  guard: Guard;
  settler: Settler;
  effects: EffectSteps;
  /** Asked before a start is recorded: whoever must wait for a provider has not begun. */
  askPass: (type: string, applicant: Applicant) => Promise<GateAnswer>;
  /** Kept for whoever looks at the job, where that is possible. */
  noteProgress: (job: StartedJob, percent: number) => void;
  /** A job that Redis knows and PostgreSQL does not. */
  reportMissing: (ref: DispatchedJob, type: string) => Promise<void>;
}

export function executionMetrics(metrics: Metrics) {
  return {
    duration: metrics.histogram(
      'job_processing_duration_seconds',
      'Time from start to settled',
      [0.1, 0.5, 1, 2, 5, 10, 30, 60],
      ['queue_name', 'job_type'],
    ),
    results: metrics.counter('job_results_total', 'Attempts that ended a job', ['queue_name', 'job_type', 'result']),
    retries: metrics.counter('job_retries_total', 'Attempts that will be followed by another', ['job_type', 'reason']),
    dropped: metrics.counter('jobs_dropped_total', 'Jobs from Redis that had nothing left to run', ['reason']),
    inDoubt: metrics.counter('jobs_in_doubt_total', 'Jobs whose effect is unknown', ['job_type']),
    repeated: metrics.counter(
      'effects_repeated_total',
      'Calls that may have made an effect happen twice, as its type allows',
      ['job_type', 'effect'],
    ),
    fenced: metrics.counter('attempts_fenced_total', 'Attempts that another one had overtaken', ['job_type']),
  };
}

/**
 * What is left of a job's journey once its end is decided and committed: putting it back where its record is, which may be
 * away for long. Nothing that others need (the suspects' lane) is kept meanwhile.
 */
type Leave = () => Promise<Disposal>;

const FINISHED: Disposal = { kind: 'finished' };
const LOOK_AGAIN: Disposal = { kind: 'again', delayMs: 0 };
const lookAgain: Leave = () => Promise.resolve(LOOK_AGAIN);
/** A job that found no slot of its type comes back after about this long. */
const NO_SLOT_MS = 250;
/** A suspect that found another one in the lane, after about this. */
const LANE_BUSY_MS = 1_000;

export class JobRunner {
  private readonly running = new Set<Attempt>();
  private draining = false;

  constructor(
    private readonly parts: RunnerParts,
    private readonly metrics: ReturnType<typeof executionMetrics>,
    private readonly log: Logger,
  ) {}

  async run(ref: DispatchedJob, type: string, priority: number): Promise<Disposal> {
    // The provider first: it says for how long to stay away, where a slot only says "not now".
    const answer = await this.parts.askPass(type, { jobId: ref.jobId, priority });
    if (answer.kind === 'wait') return this.keepWaiting(ref, type, answer.afterMs);
    try {
      return await this.takeSlot(ref, type, answer.pass);
    } finally {
      await answer.pass.release();
    }
  }

  /** Asks everything that runs to leave; what cannot finish goes back to its queue without having spent an attempt. */
  handBackAll(): void {
    this.draining = true;
    for (const attempt of this.running) attempt.handBack();
  }

  /** For its provider, unless nothing is left to be asked of it: a job that has expired is told so meanwhile. */
  private async keepWaiting(ref: DispatchedJob, type: string, delayMs: number): Promise<Disposal> {
    const answer = await this.parts.guard.admitWithoutProvider(ref);
    return answer ? this.follow(answer, ref, type, FREE_PASS) : { kind: 'again', delayMs };
  }

  private async takeSlot(ref: DispatchedJob, type: string, pass: Pass): Promise<Disposal> {
    // With a pass nobody waits on deck: others could use the provider meanwhile.
    const release = pass === FREE_PASS ? await this.parts.slots.acquire(type) : this.parts.slots.take(type);
    if (!release) return { kind: 'again', delayMs: around(NO_SLOT_MS) };
    try {
      // It waited for its slot until the process had no time left: somebody else's work, and no start is spent on it.
      return this.draining ? LOOK_AGAIN : await this.follow(await this.parts.guard.admit(ref), ref, type, pass);
    } finally {
      release();
    }
  }

  private async follow(answer: GuardAnswer, ref: DispatchedJob, type: string, pass: Pass): Promise<Disposal> {
    switch (answer.kind) {
      case 'started':
        return (await this.perform(answer.job, pass, false))();
      case 'suspect':
        return this.admitSuspect(ref, pass);
      case 'toEnd':
        return (await this.endNow(ref, answer.end, pass))();
      case 'notYet':
        return { kind: 'again', delayMs: answer.delayMs };
      case 'stale':
        this.metrics.dropped.inc({ reason: answer.reason });
        return FINISHED;
      case 'missing':
        this.metrics.dropped.inc({ reason: 'missing' });
        await this.parts.reportMissing(ref, type);
        return FINISHED;
    }
  }

  private async admitSuspect(ref: DispatchedJob, pass: Pass): Promise<Disposal> {
    if (this.parts.guard.suspects.busy) return { kind: 'again', delayMs: around(LANE_BUSY_MS) };
    const leave = await this.parts.guard.suspects.run(() => this.performSuspect(ref, pass));
    return leave();
  }

  private async performSuspect(ref: DispatchedJob, pass: Pass): Promise<Leave> {
    const job = await this.parts.guard.startExceptional(ref, true);
    // It changed while it waited in the lane: look again.
    return job ? this.perform(job, pass, true) : lookAgain;
  }

  private async endNow(ref: DispatchedJob, end: ForcedEnd, pass: Pass): Promise<Leave> {
    const job = await this.parts.guard.startExceptional(ref, false);
    if (!job) return lookAgain;
    const effects = new EffectLedger(job, this.parts.effects, { signal: AbortSignal.abort(), endsAt: 0, pass });
    if (!(await this.load(job, effects))) return this.settle(job, notBegun(false), effects, performance.now());
    // Too late to cancel: what became of the effect must be found out.
    if (end === 'cancelled' && (effects.anyUncertain || effects.anyHappened)) return this.perform(job, pass, false);
    return this.settle(job, { kind: end }, effects, performance.now());
  }

  private async perform(job: StartedJob, pass: Pass, asSuspect: boolean): Promise<Leave> {
    const handler = this.parts.handlers.get(job.type);
    const log = this.log.child({ jobId: job.jobId, jobType: job.type, ...traceOf(job) });
    const attempt = new Attempt(job, this.parts.effects, pass, log, {
      onRepeat: (effect) => {
        this.metrics.repeated.inc({ job_type: job.type, effect });
        log.warn('an effect is asked for again and may happen twice', { effect });
      },
      onProgress: (percent) => this.parts.noteProgress(job, percent),
    });
    const begunAt = performance.now();
    this.running.add(attempt);
    if (this.draining) attempt.handBack();
    try {
      // Also for a handler that never asks for an effect: its failure must not hide what an earlier attempt began.
      const end: AttemptEnd = !(await this.load(job, attempt.effects))
        ? notBegun(asSuspect)
        : handler
          ? await attempt.run(handler)
          : { kind: 'retry', code: 'NO_HANDLER', message: 'this process has no handler for the type' };
      // Nothing is asked of the provider any more: others need not wait until the end is written down.
      void pass.release();
      return await this.settle(job, end, attempt.effects, begunAt);
    } finally {
      this.running.delete(attempt);
    }
  }

  /** Without the ledger nothing may be run or decided; the job is put back, which waits until PostgreSQL answers. */
  private async load(job: StartedJob, effects: EffectLedger): Promise<boolean> {
    try {
      await effects.load();
      return true;
    } catch (error) {
      this.log.warn('ledger not read', { jobId: job.jobId, error: describeError(error) });
      return false;
    }
  }

  private async settle(job: StartedJob, end: AttemptEnd, effects: EffectLedger, begunAt: number): Promise<Leave> {
    const { ending, answer } = await settleStorable(this.parts.settler, job, end, effects, this.log);
    const seconds = (performance.now() - begunAt) / 1_000;
    return async () =>
      this.dispose(ending, answer === 'toPutBack' ? await this.parts.settler.putBack(ending) : answer, seconds);
  }

  private dispose({ job, decision: { settlement } }: Ending, answer: EndingAnswer, seconds: number): Disposal {
    if (answer === 'fenced') {
      this.metrics.fenced.inc({ job_type: job.type });
      return FINISHED;
    }
    this.observe(job, settlement, seconds);
    const { status, retryInMs } = settlement;
    return status === 'pending' ? { kind: 'again', delayMs: retryInMs } : FINISHED;
  }

  private observe(job: StartedJob, { status, reason }: Settlement, seconds: number): void {
    const labels = { queue_name: QUEUE_POLICIES[job.tier].queueName, job_type: job.type };
    this.metrics.duration.observe(labels, seconds);
    if (status === 'pending') this.metrics.retries.inc({ job_type: job.type, reason });
    else if (status === 'in_doubt') {
      this.metrics.inDoubt.inc({ job_type: job.type });
      this.log.error('job in doubt', { jobId: job.jobId, jobType: job.type, reason });
    } else this.metrics.results.inc({ ...labels, result: status === 'completed' ? 'success' : 'failure' });
  }
}

function notBegun(asSuspect: boolean): AttemptEnd {
  return { kind: 'notBegun', asSuspect };
}

/** So that a crowd that was sent away together does not come back together. */
function around(ms: number): number {
  return Math.round(ms * (0.5 + Math.random()));
}

function traceOf(job: StartedJob): { traceId?: string } {
  const traceId = job.traceparent?.split('-')[1];
  return traceId === undefined ? {} : { traceId };
}

import { isTerminal, type DispatchedJob } from '../jobs/job';
import type { StartedJob, StartRequest, UnstartedJob } from '../jobs/start';
import { Batcher } from '../platform/batcher';
import { Gathering } from '../platform/gathering';
import type { AttemptEnd } from './decide';
import { StartTokens } from './start-tokens';
import type { SuspectLane } from './suspects';

export interface GuardSteps {
  start: (requests: StartRequest[]) => Promise<StartedJob[]>;
  readUnstarted: (jobId: string) => Promise<UnstartedJob | undefined>;
  startExceptional: (request: StartRequest, countAsSuspect: boolean) => Promise<StartedJob | undefined>;
}

/** Why a job that was taken from Redis does not run in the ordinary way. */
export type GuardAnswer =
  | { kind: 'started'; job: StartedJob }
  /** Started under suspicion of killing its process; must run in the suspects' lane. */
  | { kind: 'suspect' }
  /** Started only to be ended in this way. */
  | { kind: 'toEnd'; end: 'expired' | 'poisonous' | 'cancelled' }
  | { kind: 'notYet'; delayMs: number }
  /** Finished, in doubt, handed to Redis again under another number, or behind another in its line: nothing runs. */
  | { kind: 'stale'; reason: 'finished' | 'superseded' | 'out_of_turn' }
  | { kind: 'missing' };

/** After so many starts as the only suspect, none of which finished, a job is taken to be what kills its processes. */
const MAX_SUSPECT_STARTS = 3;

/** Decides whether a job from Redis may run, and starts it. Starts that come together share one statement. */
export class Guard {
  private readonly batcher: Batcher<StartRequest, StartedJob | undefined>;
  private readonly tokens: StartTokens;
  /** Of their own: an ordinary start must not find itself to be one that was made for the suspects' lane. */
  private readonly exceptionalTokens: StartTokens;

  constructor(
    private readonly steps: GuardSteps,
    newToken: () => string,
    readonly suspects: SuspectLane,
    maxBatch: number,
  ) {
    this.tokens = new StartTokens(newToken);
    this.exceptionalTokens = new StartTokens(newToken);
    this.batcher = new Batcher((requests) => this.startBatch(requests), maxBatch, new Gathering());
  }

  async admit(ref: DispatchedJob): Promise<GuardAnswer> {
    const { jobId, generation, dispatch } = ref;
    const job = await this.tokens.use(jobId, (token) => this.batcher.submit({ jobId, generation, dispatch, token }));
    if (job) return { kind: 'started', job };
    return judge(ref, await this.steps.readUnstarted(ref.jobId));
  }

  /** What becomes of a job that its provider keeps waiting, where that takes no provider; undefined where it does. */
  async admitWithoutProvider(ref: DispatchedJob): Promise<GuardAnswer | undefined> {
    const answer = judge(ref, await this.steps.readUnstarted(ref.jobId));
    // A cancelled one is not among them: what an earlier attempt began may have to be found out.
    const isOver = answer.kind === 'toEnd' && answer.end !== 'cancelled';
    return isOver || answer.kind === 'stale' || answer.kind === 'missing' ? answer : undefined;
  }

  /** Starts a job that `admit` refused, as the answer said; undefined when it changed in the meantime. */
  startExceptional(ref: DispatchedJob, asSuspect: boolean): Promise<StartedJob | undefined> {
    return this.exceptionalTokens.use(ref.jobId, (token) => this.steps.startExceptional({ ...ref, token }, asSuspect));
  }

  private async startBatch(requests: StartRequest[]): Promise<(StartedJob | undefined)[]> {
    const started = await this.steps.start(requests);
    // By token: the same job may have been asked for twice in one batch, and only one of them has it now.
    const byToken = new Map(started.map((job) => [job.token, job]));
    return requests.map((request) => byToken.get(request.token));
  }
}

function judge(ref: DispatchedJob, job: UnstartedJob | undefined): GuardAnswer {
  if (!job) return { kind: 'missing' };
  if (isTerminal(job.status) || job.status === 'in_doubt') return { kind: 'stale', reason: 'finished' };
  if (job.generation !== ref.generation || job.dispatch !== ref.dispatch)
    return { kind: 'stale', reason: 'superseded' };
  if (job.suspect && job.suspectStarts >= MAX_SUSPECT_STARTS) return { kind: 'toEnd', end: 'poisonous' };
  // First of all: whoever died over its end had not run it.
  if (job.expired) return { kind: 'toEnd', end: 'expired' };
  // It is handed over again when it is its turn.
  if (job.behind) return { kind: 'stale', reason: 'out_of_turn' };
  if (job.suspect) return { kind: 'suspect' };
  if (job.cancelRequested) return { kind: 'toEnd', end: 'cancelled' };
  return { kind: 'notYet', delayMs: job.dueInMs };
}

export type ForcedEnd = Extract<AttemptEnd, { kind: 'expired' | 'poisonous' | 'cancelled' }>['kind'];

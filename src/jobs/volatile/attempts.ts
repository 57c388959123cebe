import type { Queryable, Transaction } from '../../platform/postgres/database';
import { addEnded } from '../counts';
import { insertFinished, readEnds, wasFinishedBy, type FinishOptions } from '../finished';
import type { EndedAttempt, SettledJob } from '../settle';
import { StartUndoneError, type StartedJob, type StartRequest, type UnstartedJob } from '../start';
import { ONLY_DISPATCH, ONLY_GENERATION } from './record';
import type { VolatileJobs } from './store';

export interface AttemptOptions extends FinishOptions {
  /** Names this process where it counts. */
  instance: string;
}

/**
 * Attempts of volatile jobs, as guard and settling ask for them: who may run is Redis's to say, what has ended is
 * PostgreSQL's. A job that Redis still holds as open may have ended (its process died before it could tell, or Redis went
 * back to a snapshot), so PostgreSQL is asked after every start.
 */
export class VolatileAttempts {
  constructor(
    private readonly open: VolatileJobs,
    private readonly database: Queryable,
    private readonly options: AttemptOptions,
  ) {}

  async start(requests: StartRequest[]): Promise<StartedJob[]> {
    return this.withoutFinished(await this.open.start(requests), 0);
  }

  async startExceptional(request: StartRequest, asSuspect: boolean): Promise<StartedJob | undefined> {
    const started = await this.open.startExceptional(request, asSuspect);
    return started && (await this.withoutFinished([started], asSuspect ? 1 : 0))[0];
  }

  async readUnstarted(jobId: string): Promise<UnstartedJob | undefined> {
    const open = await this.open.readUnstarted(jobId);
    if (open) return open;
    const { finished } = await readEnds(this.database, [jobId]);
    return finished.has(jobId) ? { ...ENDED, jobId } : undefined;
  }

  /**
   * Ends jobs, as part of the settling transaction. An attempt that was overtaken decides nothing; while Redis is away
   * nobody can tell, and the one end per job that PostgreSQL keeps is all the fence there is.
   */
  async settle(tx: Transaction, ends: EndedAttempt[]): Promise<SettledJob[]> {
    const terminal = ends.filter(({ settlement }) => settlement.finishedAt !== undefined);
    const mine = await this.stillHeld(terminal);
    const ended = await insertFinished(tx, mine, this.options);
    if (ended.size > 0) {
      await addEnded(tx, this.options.queueName, this.options.instance, ended.size);
    }
    return mine
      .filter(({ job }) => ended.has(job.token))
      .map(({ job }) => ({ jobId: job.jobId, token: job.token, hasFollowers: false }));
  }

  /** After the commit: makes jobs pending again. Answers with the tokens of those that were still theirs to put back. */
  async putBack(ends: EndedAttempt[]): Promise<string[]> {
    if (ends.length === 0) return [];
    const done = await this.open.putBack(ends.map(({ settlement }) => settlement));
    return ends.filter((_, index) => done[index]).map(({ job }) => job.token);
  }

  /** After the commit: what has ended need not be remembered as open. Left undone, the guard finds it out. */
  async forget(ends: EndedAttempt[]): Promise<void> {
    await this.open.forget(ends.flatMap(({ job, settlement }) => (settlement.finishedAt === undefined ? [] : [job])));
  }

  async wasSettledBy(jobId: string, token: string): Promise<boolean> {
    return wasFinishedBy(this.database, jobId, token);
  }

  private async withoutFinished(started: StartedJob[], suspectStarts: 0 | 1): Promise<StartedJob[]> {
    if (started.length === 0) return [];
    const { finished, withEffects } = await this.readEnds(started, suspectStarts);
    if (finished.size > 0) {
      await this.open.forget(started.filter(({ jobId }) => finished.has(jobId)));
    }
    // A Redis that went back in time counts from the start again; the ledger does not.
    return started
      .filter(({ jobId }) => !finished.has(jobId))
      .map((job) => ({ ...job, fresh: job.fresh && !withEffects.has(job.jobId) }));
  }

  private async readEnds(started: StartedJob[], suspectStarts: 0 | 1): ReturnType<typeof readEnds> {
    try {
      return await readEnds(
        this.database,
        started.map(({ jobId }) => jobId),
      );
    } catch (error) {
      // Nothing ran: the starts are taken back, or they would make suspects of the jobs.
      const back = { retryInMs: 0, takenBack: { suspectStarts } };
      await this.open.putBack(started.map((job) => ({ ...job, ...back }))).catch((failure: unknown) => {
        throw new StartUndoneError(failure);
      });
      throw new StartUndoneError(error);
    }
  }

  private async stillHeld(ends: EndedAttempt[]): Promise<EndedAttempt[]> {
    if (ends.length === 0) return [];
    const held = await this.open.holds(ends.map(({ job }) => job)).catch(() => ends.map(() => true));
    return ends.filter((_, index) => held[index]);
  }
}

const ENDED: Omit<UnstartedJob, 'jobId'> = {
  generation: ONLY_GENERATION,
  dispatch: ONLY_DISPATCH,
  status: 'completed',
  dueInMs: 0,
  expired: false,
  suspect: false,
  suspectStarts: 0,
  cancelRequested: false,
  behind: false,
};

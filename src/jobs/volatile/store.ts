/**
 * The open jobs of a lower tier, in that tier's own Redis: what it loses is lost. The same questions as of the record of
 * truth (claim, start, hold, put back), answered by scripts instead of statements. A job's end is PostgreSQL's to keep
 * (jobs/finished.ts), and only then is it forgotten here.
 *
 * What may crash where: a claim lives a minute until its job is in the queue, so that one whose process died does not
 * hold its key; the same request, or another one with its key, confirms the same claim, or takes it back, and puts the
 * same job into the queue. A job whose end was committed and which is not forgotten yet is recognised by the guard, which
 * asks PostgreSQL.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { z } from 'zod';
import type { Tier } from '../../contract/names';
import type { Claim } from '../claim';
import type { JobView } from '../read';
import type { StartedJob, StartRequest, UnstartedJob } from '../start';
import { booksKey, type Book } from './books';
import {
  flags,
  ONLY_DISPATCH,
  ONLY_GENERATION,
  prolongedAnswer,
  snapshotAnswers,
  startedAnswer,
  startedAnswers,
  toStanding,
  toStarted,
  toView,
  unstartedAnswer,
  viewedFields,
  writeRecord,
  type OpenJob,
} from './record';
import {
  ARE_OPEN,
  CLAIM,
  CONFIRM,
  FORGET,
  HOLDS,
  NOTE_PROGRESS,
  PROLONG,
  PUT_BACK,
  READ_UNSTARTED,
  START,
  START_EXCEPTIONAL,
} from './scripts';

/** A claim whose job did not reach the queue lets go of its key after this; a confirmed one so long after it was due. */
const UNQUEUED_LIFE_MS = 60_000;
const DAY_MS = 24 * 60 * 60 * 1_000;
/** A job that nobody starts is remembered for a week after it was due. */
const WAITING_LIFE_MS = 7 * DAY_MS;
/** One that was started, or put back: far longer than an attempt may take, so that a dead one's successor finds it. */
const STARTED_LIFE_MS = DAY_MS;
/** Timers of BullMQ and clock of Redis differ a little; a job may start this much early. */
const EARLY_MS = 100;

const VIEWED = ['record', 'status', 'attempts', 'sequence', 'runAt', 'startedAt', 'progress'];

export interface PutBack {
  jobId: string;
  token: string;
  attempts: number;
  retryInMs: number;
  sequence: number;
  /** See the settlement of that name. */
  takenBack: { suspectStarts: 0 | 1 } | undefined;
}

export class VolatileJobs {
  constructor(
    private readonly redis: Redis,
    readonly tier: Tier,
    private readonly prefix: string,
  ) {}

  /** For each claim, in order: undefined when it is a job now, else the open job that has its request or its key. */
  async claim(claims: Claim[]): Promise<(OpenJob | undefined)[]> {
    const now = new Date();
    const answers = await CLAIM.run(
      this.redis,
      claims.flatMap((claim) => this.keysOf(claim)),
      [
        this.jobKey(''),
        ...claims.flatMap((claim) => [
          claim.jobId,
          writeRecord(claim, now),
          claim.delayMs,
          UNQUEUED_LIFE_MS,
          claim.expiresAt === undefined ? '' : Date.parse(claim.expiresAt),
        ]),
      ],
    );
    return snapshotAnswers.parse(answers).map((answer) => this.standing(answer));
  }

  /** Nothing in PostgreSQL is in their way: they are jobs. Answers for each whether it still was there. */
  async confirm(jobs: { jobId: string }[]): Promise<boolean[]> {
    if (jobs.length === 0) return [];
    const answers = await CONFIRM.run(
      this.redis,
      jobs.map(({ jobId }) => this.jobKey(jobId)),
      [UNQUEUED_LIFE_MS],
    );
    return flags.parse(answers).map((flag) => flag === 1);
  }

  /**
   * The jobs are in the queue: they are counted, and remembered as long as it may take. Answers for each whether it still
   * was there, and with the books.
   */
  async prolong(jobs: { jobId: string }[]): Promise<{ remembered: boolean[]; books: Book[] }> {
    if (jobs.length === 0) return { remembered: [], books: [] };
    const answer = await PROLONG.run(
      this.redis,
      jobs.map(({ jobId }) => this.jobKey(jobId)),
      [...this.newBook(), WAITING_LIFE_MS],
    );
    const [there, books] = prolongedAnswer.parse(answer);
    return { remembered: there.map((flag) => flag === 1), books };
  }

  /** Takes back claims that should not have been made, and answers for each whether it did: a confirmed one is a job. */
  release(jobs: { jobId: string }[]): Promise<boolean[]> {
    return this.forgetAll(jobs, true);
  }

  /** Their end is committed. */
  async forget(jobs: { jobId: string }[]): Promise<void> {
    await this.forgetAll(jobs, false);
  }

  async start(requests: StartRequest[]): Promise<StartedJob[]> {
    const answers = await START.run(
      this.redis,
      requests.map(({ jobId }) => this.jobKey(jobId)),
      [EARLY_MS, STARTED_LIFE_MS, ...requests.map(({ token }) => token), ...this.newBook()],
    );
    return startedAnswers.parse(answers).flatMap((answer, index) => {
      const request = requests[index];
      if (!request || answer.length === 0) return [];
      return [toStarted(this.tier, request.jobId, request.token, answer)];
    });
  }

  async startExceptional({ jobId, token }: StartRequest, asSuspect: boolean): Promise<StartedJob | undefined> {
    const answer = startedAnswer.parse(
      await START_EXCEPTIONAL.run(
        this.redis,
        [this.jobKey(jobId)],
        [token, STARTED_LIFE_MS, asSuspect ? 1 : 0, ...this.newBook()],
      ),
    );
    return answer.length === 0 ? undefined : toStarted(this.tier, jobId, token, answer);
  }

  async readUnstarted(jobId: string): Promise<UnstartedJob | undefined> {
    const args = [EARLY_MS, STARTED_LIFE_MS];
    const answer = unstartedAnswer.parse(await READ_UNSTARTED.run(this.redis, [this.jobKey(jobId)], args));
    if (answer.length === 0) return undefined;
    const [status, dueInMs, expired, suspect, suspectStarts] = answer;
    return {
      jobId,
      generation: ONLY_GENERATION,
      dispatch: ONLY_DISPATCH,
      status,
      dueInMs,
      expired: expired === '1',
      suspect: suspect === '1',
      suspectStarts,
      cancelRequested: false,
      behind: false,
    };
  }

  /** Which of these attempts still decide about their jobs. */
  async holds(attempts: { jobId: string; token: string }[]): Promise<boolean[]> {
    const answers = await HOLDS.run(
      this.redis,
      attempts.map(({ jobId }) => this.jobKey(jobId)),
      attempts.map(({ token }) => token),
    );
    return flags.parse(answers).map((flag) => flag === 1);
  }

  /** Makes jobs pending again; answers for each whether it was still its attempt's to put back. */
  async putBack(jobs: PutBack[]): Promise<boolean[]> {
    const answers = await PUT_BACK.run(
      this.redis,
      jobs.map(({ jobId }) => this.jobKey(jobId)),
      [
        STARTED_LIFE_MS,
        ...jobs.flatMap(({ token, attempts, retryInMs, sequence, takenBack }) => [
          token,
          attempts,
          Math.ceil(retryInMs),
          sequence,
          takenBack?.suspectStarts ?? '',
        ]),
      ],
    );
    return flags.parse(answers).map((flag) => flag === 1);
  }

  /** Which of these this Redis holds. */
  async areOpen(jobIds: string[]): Promise<boolean[]> {
    const answers = await ARE_OPEN.run(
      this.redis,
      jobIds.map((jobId) => this.jobKey(jobId)),
      [],
    );
    return flags.parse(answers).map((flag) => flag === 1);
  }

  /** How far an attempt is, unless it was overtaken. */
  async noteProgress({ jobId, token }: { jobId: string; token: string }, percent: number): Promise<void> {
    await NOTE_PROGRESS.run(this.redis, [this.jobKey(jobId)], [token, percent]);
  }

  /** An open job as those see it whom it concerns. */
  async view(jobId: string): Promise<JobView | undefined> {
    const fields = await this.redis.hmget(this.jobKey(jobId), ...VIEWED);
    return fields[0] === null ? undefined : toView(this.tier, jobId, viewedFields.parse(fields));
  }

  private async forgetAll(jobs: { jobId: string }[], onlyUnconfirmed: boolean): Promise<boolean[]> {
    if (jobs.length === 0) return [];
    const answers = await FORGET.run(
      this.redis,
      jobs.map(({ jobId }) => this.jobKey(jobId)),
      [onlyUnconfirmed ? 1 : 0, ...jobs.map(({ jobId }) => jobId)],
    );
    return flags.parse(answers).map((flag) => flag === 1);
  }

  private standing(answer: z.infer<typeof snapshotAnswers>[number]): OpenJob | undefined {
    return answer.length === 0 ? undefined : toStanding(this.tier, answer);
  }

  private keysOf({ jobId, requestKey, liveKey }: Claim): string[] {
    return [this.jobKey(jobId), `${this.prefix}:request:${requestKey}`, `${this.prefix}:key:${liveKey}`];
  }

  /** Where the books are, and what a new one is called. */
  private newBook(): [string, string] {
    return [booksKey(this.prefix), randomUUID()];
  }

  private jobKey(jobId: string): string {
    return `${this.prefix}:job:${jobId}`;
  }
}

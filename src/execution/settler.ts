import type { Follower } from '../jobs/followers';
import type { DeadLetter } from '../jobs/dead-letters';
import type { EffectFact } from '../jobs/effects';
import { duplicateOutcome, jobOutcome, type OutcomeFacts, type PublishableOutcome } from '../jobs/outcomes';
import type { EndedAttempt, SettledJob } from '../jobs/settle';
import type { StartedJob } from '../jobs/start';
import { Batcher } from '../platform/batcher';
import { Gathering } from '../platform/gathering';
import { uuidV5 } from '../platform/ids';
import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import { isUnavailable, isUniqueViolation } from '../platform/postgres/errors';
import type { Transaction } from '../platform/postgres/database';
import { exponentialBackoffMs, pause } from '../platform/time';
import type { Decision } from './decide';

/** One attempt's end, with everything that one transaction writes about it. */
export interface Ending {
  job: StartedJob;
  decision: Decision;
  facts: EffectFact[];
}

/** `fenced`: somebody else runs the job now; only the facts were kept. */
export type EndingAnswer = 'settled' | 'fenced';

/** `toPutBack`: all that the transaction can reach is committed, the job's own record is elsewhere. */
export type SettleAnswer = EndingAnswer | 'toPutBack';

/** The database refuses an ending for what is in it, and nothing of it was written. */
interface Refusal {
  refusedWith: unknown;
}

export interface SettleSteps {
  transaction: <Value>(work: (tx: Transaction) => Promise<Value>) => Promise<Value>;
  appendFacts: (tx: Transaction, facts: EffectFact[]) => Promise<void>;
  settle: (tx: Transaction, ends: EndedAttempt[]) => Promise<SettledJob[]>;
  /** Makes those jobs pending again whose record the transaction cannot reach; answers with the tokens that did. */
  putBack: (ends: EndedAttempt[]) => Promise<string[]>;
  /** Asked only where jobs with an ordering key end. */
  lines: LineSteps;
  takeFollowers: (tx: Transaction, jobIds: string[]) => Promise<Follower[]>;
  recordDeadLetters: (tx: Transaction, letters: DeadLetter[]) => Promise<unknown>;
  append: (tx: Transaction, messages: PublishableOutcome[]) => Promise<void>;
  wasSettledBy: (jobId: string, token: string) => Promise<boolean>;
  /** What is left to do once the decisions are durable. Whether it succeeds must not matter to them. */
  tidyUp: (ends: EndedAttempt[]) => Promise<void>;
  /** Tells the relay, after the commit. */
  signal: () => void;
}

export interface LineSteps {
  /** Before anything else of the transaction. */
  lock: (tx: Transaction, jobIds: string[]) => Promise<void>;
  /** Makes the next of their lines the heads; answers with these. */
  release: (tx: Transaction, endedIds: string[]) => Promise<string[]>;
  /** Hands heads to Redis. They wait in PostgreSQL, and are fed soon after if it is not done. */
  handOver: (jobIds: string[]) => Promise<void>;
}

const RETRY_BASE_MS = 200;
const RETRY_CAP_MS = 5_000;

/**
 * Settles attempts: facts, state, key, followers, dead letters and outcomes in one transaction, shared with whatever
 * settles at the same moment. While PostgreSQL is away it keeps trying, since the effects have happened.
 *
 * A job whose record is elsewhere is put back after the commit: whoever starts it next must find what this attempt learnt.
 * A process that dies between the two leaves a start that never finished.
 */
export class Settler {
  private readonly batcher: Batcher<Ending, EndingAnswer | Refusal>;
  private readonly puttingBack: Batcher<Ending, EndingAnswer>;

  constructor(
    private readonly steps: SettleSteps,
    private readonly log: Logger,
    maxBatch: number,
  ) {
    this.batcher = new Batcher((endings) => this.settleGroup(endings), maxBatch, new Gathering());
    this.puttingBack = new Batcher((endings) => this.putBackGroup(endings), maxBatch);
  }

  /** @throws what the database says when it refuses the ending for what is in it; its neighbours are not harmed */
  async settle(ending: Ending): Promise<SettleAnswer> {
    const answer = await this.batcher.submit(ending);
    if (typeof answer === 'object') throw answer.refusedWith;
    return answer === 'fenced' && !isTerminal(ending) ? 'toPutBack' : answer;
  }

  /** The rest of a settling that left the job to be put back. */
  putBack(ending: Ending): Promise<EndingAnswer> {
    return this.puttingBack.submit(ending);
  }

  /** Keeps trying as well. On a line of its own: what has ended does not wait for the Redis that others need. */
  private async putBackGroup(endings: Ending[]): Promise<EndingAnswer[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const tokens = new Set(await this.steps.putBack(endings.map(toEnd)));
        return endings.map(({ job }) => (tokens.has(job.token) ? 'settled' : 'fenced'));
      } catch (error) {
        this.log.warn('putting back failed', { jobs: endings.length, attempt, error: describeError(error) });
        await pause(exponentialBackoffMs(attempt, RETRY_BASE_MS, RETRY_CAP_MS));
      }
    }
  }

  private async settleGroup(endings: Ending[]): Promise<(EndingAnswer | Refusal)[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.settleOnce(endings);
      } catch (error) {
        this.log.warn('settling failed', { jobs: endings.length, attempt, error: describeError(error) });
        if (!isUnavailable(error) && endings.length > 1) return this.settleOneByOne(endings);
        // Two that ran into each other over a key do not do so again and again.
        if (!isUnavailable(error) && (attempt >= 3 || !isUniqueViolation(error))) return [{ refusedWith: error }];
        await pause(exponentialBackoffMs(attempt, RETRY_BASE_MS, RETRY_CAP_MS));
      }
    }
  }

  private async settleOneByOne(endings: Ending[]): Promise<(EndingAnswer | Refusal)[]> {
    const answers: (EndingAnswer | Refusal)[] = [];
    for (const ending of endings) answers.push(...(await this.settleGroup([ending])));
    return answers;
  }

  private async settleOnce(endings: Ending[]): Promise<EndingAnswer[]> {
    const { settled, heads } = await this.steps.transaction(async (tx) => {
      const ends = idsOfLines(endings);
      if (ends.length > 0) await this.steps.lines.lock(tx, ends);
      await this.steps.appendFacts(
        tx,
        endings.flatMap((ending) => ending.facts),
      );
      const jobs = await this.steps.settle(tx, endings.map(toEnd));
      // By token: two attempts of one job may meet in a group, and only one of them decides.
      const byToken = new Map(jobs.map((job) => [job.token, job]));
      const mine = endings.filter((ending) => byToken.has(ending.job.token));
      await this.steps.append(tx, [...mine.flatMap(outcomesOf), ...(await this.answersToFollowers(tx, mine, byToken))]);
      await this.steps.recordDeadLetters(tx, mine.flatMap(deadLettersOf));
      const ended = idsOfLines(mine);
      const heads = ended.length > 0 ? await this.steps.lines.release(tx, ended) : [];
      return { settled: new Set(byToken.keys()), heads };
    });
    this.steps.signal();
    if (heads.length > 0) await this.handOver(heads);
    await this.tidyUp(endings.filter(({ job }) => settled.has(job.token)));
    return Promise.all(endings.map((ending) => this.answer(ending, settled)));
  }

  private async handOver(heads: string[]): Promise<void> {
    await this.steps.lines
      .handOver(heads)
      .catch((error: unknown) =>
        this.log.warn('the next of their lines wait to be fed', { error: describeError(error) }),
      );
  }

  private async tidyUp(endings: Ending[]): Promise<void> {
    await this.steps
      .tidyUp(endings.map(toEnd))
      .catch((error: unknown) => this.log.warn('settled and not tidied up', { error: describeError(error) }));
  }

  private async answersToFollowers(
    tx: Transaction,
    endings: Ending[],
    jobs: Map<string, SettledJob>,
  ): Promise<PublishableOutcome[]> {
    const followed = endings.filter((ending) => isTerminal(ending) && jobs.get(ending.job.token)?.hasFollowers);
    if (followed.length === 0) return [];
    const followers = await this.steps.takeFollowers(
      tx,
      followed.map((ending) => ending.job.jobId),
    );
    const byJob = new Map(followed.map((ending) => [ending.job.jobId, ending]));
    return followers.flatMap((follower) => {
      const ending = byJob.get(follower.jobId);
      return ending ? [duplicateOutcome(ending.job, follower, factsOf(ending), 'finished', timeOf(ending))] : [];
    });
  }

  /** A refused settlement is either fenced, or was done already by a commit whose answer got lost. */
  private async answer(ending: Ending, settled: Set<string>): Promise<EndingAnswer> {
    if (settled.has(ending.job.token)) return 'settled';
    return (await this.steps.wasSettledBy(ending.job.jobId, ending.job.token)) ? 'settled' : 'fenced';
  }
}

/** Jobs that end, and for whose end others may wait. */
function idsOfLines(endings: Ending[]): string[] {
  return endings.filter((ending) => ending.job.ordered && isTerminal(ending)).map(({ job }) => job.jobId);
}

function toEnd({ job, decision }: Ending): EndedAttempt {
  return { job, settlement: decision.settlement };
}

function outcomesOf(ending: Ending): PublishableOutcome[] {
  const { outcome } = ending.decision;
  return outcome === undefined ? [] : [jobOutcome(ending.job, outcome, factsOf(ending), timeOf(ending))];
}

function deadLettersOf({ job, decision: { settlement } }: Ending): DeadLetter[] {
  if (settlement.status !== 'failed' || !settlement.error) return [];
  return [
    {
      kind: settlement.error.code === 'POISON' ? 'poison' : 'gave_up',
      dedupeKey: uuidV5(job.jobId, `gave-up:${job.generation}`),
      jobId: job.jobId,
      queueName: job.tier,
      jobType: job.type,
      code: settlement.error.code,
      errors: [{ path: 'attempts', message: settlement.error.message }],
    },
  ];
}

function factsOf({ job, decision: { settlement } }: Ending): OutcomeFacts {
  return {
    attempts: settlement.attempts,
    sequence: settlement.sequence,
    result: settlement.result,
    error: settlement.error,
    startedAt: job.startedAt,
    finishedAt: settlement.finishedAt,
  };
}

function isTerminal({ decision }: Ending): boolean {
  return decision.settlement.finishedAt !== undefined;
}

function timeOf({ decision }: Ending): Date {
  return decision.settlement.finishedAt ?? new Date();
}

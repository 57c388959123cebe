import { QUEUE_POLICIES } from '../catalogue/queues';
import type { LowerTier, Tier } from '../contract/names';
import type { EffectSteps } from '../execution/effect-runner';
import { handOver } from '../execution/hand-over';
import type { GuardSteps } from '../execution/guard';
import type { SettleSteps } from '../execution/settler';
import { markNotQueued } from '../jobs/claim';
import { recordDeadLetters } from '../jobs/dead-letters';
import { takeHeads } from '../jobs/dispatch';
import {
  appendEffectFacts,
  beginEffects,
  readEffects,
  type EffectStart,
  type EffectStartAnswer,
} from '../jobs/effects';
import { takeFollowers } from '../jobs/followers';
import { lockLines, releaseLines } from '../jobs/ordering-keys';
import { settleJobs, wasSettledBy } from '../jobs/settle';
import { readUnstarted, startExceptional, startJobs, type StartedJob } from '../jobs/start';
import { VolatileAttempts } from '../jobs/volatile/attempts';
import { appendVolatileFacts, beginVolatileEffects } from '../jobs/volatile/effects';
import { Batcher } from '../platform/batcher';
import { describeError } from '../platform/logger';
import type { Queryable } from '../platform/postgres/database';
import type { Foundation } from './foundation';

/** What differs between the tiers: where the record of a job is, and how it is asked and told. */
interface Records
  extends GuardSteps, Pick<SettleSteps, 'settle' | 'putBack' | 'takeFollowers' | 'wasSettledBy' | 'tidyUp'> {
  begin: (starts: EffectStart[]) => Promise<EffectStartAnswer[]>;
  noteProgress: (job: StartedJob, percent: number) => Promise<void>;
  appendFacts: (database: Queryable, facts: Parameters<typeof appendEffectFacts>[1]) => Promise<void>;
}

/** The steps of execution for one tier. */
export interface TierSteps {
  guard: GuardSteps;
  effects: EffectSteps;
  settle: SettleSteps;
  noteProgress: (job: StartedJob, percent: number) => void;
}

export function tierSteps(foundation: Foundation, tier: Tier): TierSteps {
  const records = tier === 'money' ? moneyRecords(foundation) : volatileRecords(foundation, tier);
  const { decorate } = foundation;
  return {
    guard: {
      start: decorate('start', records.start),
      readUnstarted: records.readUnstarted,
      startExceptional: decorate('start suspect', records.startExceptional),
    },
    effects: effectSteps(foundation, records),
    settle: settleSteps(foundation, records),
    noteProgress: (job, percent) => {
      records
        .noteProgress(job, percent)
        .catch((error: unknown) =>
          foundation.log.debug('progress not noted', { jobId: job.jobId, error: describeError(error) }),
        );
    },
  };
}

function moneyRecords({ config, database }: Foundation): Records {
  return {
    start: (requests) => startJobs(database, requests, config.instance),
    readUnstarted: (jobId) => readUnstarted(database, jobId),
    startExceptional: (request, asSuspect) => startExceptional(database, request, config.instance, asSuspect),
    begin: (starts) => beginEffects(database, starts),
    // Its jobs are over in seconds, and a row that is written costs all of them.
    noteProgress: () => Promise.resolve(),
    appendFacts: appendEffectFacts,
    settle: (tx, ends) =>
      settleJobs(
        tx,
        ends.map(({ settlement }) => settlement),
      ),
    putBack: () => Promise.resolve([]),
    takeFollowers,
    wasSettledBy: (jobId, token) => wasSettledBy(database, jobId, token),
    tidyUp: () => Promise.resolve(),
  };
}

function volatileRecords({ config, database, tiers, decorate }: Foundation, tier: LowerTier): Records {
  const { queueName, keepMs } = QUEUE_POLICIES[tier];
  const open = tiers[tier].jobs;
  const attempts = new VolatileAttempts(open, database, { queueName, instance: config.instance, keepMs });
  return {
    start: (requests) => attempts.start(requests),
    readUnstarted: (jobId) => attempts.readUnstarted(jobId),
    startExceptional: (request, asSuspect) => attempts.startExceptional(request, asSuspect),
    begin: (starts) => beginVolatileEffects(open, database, starts),
    noteProgress: (job, percent) => open.noteProgress(job, percent),
    appendFacts: appendVolatileFacts,
    settle: (tx, ends) => attempts.settle(tx, ends),
    putBack: decorate('put back', (ends) => attempts.putBack(ends)),
    // Nobody waits under a lock here: all followers are answered soon after, by their rows.
    takeFollowers: () => Promise.resolve([]),
    wasSettledBy: (jobId, token) => attempts.wasSettledBy(jobId, token),
    tidyUp: decorate('forget finished', (ends) => attempts.forget(ends)),
  };
}

function effectSteps({ config, database, decorate, log }: Foundation, records: Records): EffectSteps {
  const beginning = new Batcher<EffectStart, EffectStartAnswer>(
    decorate('begin effect', records.begin),
    config.worker.maxBatch,
  );
  return {
    readLedger: decorate('read ledger', (jobId) => readEffects(database, jobId)),
    begin: (start) => beginning.submit(start),
    appendFacts: (facts) => records.appendFacts(database, facts),
    callProvider: decorate('call provider', (call) => call()),
    onLateFact: (fact) => {
      log.warn('a late answer is recorded', { jobId: fact.jobId, effect: fact.name });
      records
        .appendFacts(database, [fact])
        .catch((error: unknown) =>
          log.error('a late answer was not recorded', { jobId: fact.jobId, error: describeError(error) }),
        );
    },
  };
}

function settleSteps(foundation: Foundation, records: Records): SettleSteps {
  const { database, outboxSignal, decorate } = foundation;
  return {
    // Named as a whole, so that a kill before and after the commit can be told from one inside.
    transaction: decorate<SettleSteps['transaction']>('settle', (work) => database.transaction(work)),
    appendFacts: records.appendFacts,
    settle: records.settle,
    putBack: records.putBack,
    lines: {
      lock: lockLines,
      release: releaseLines,
      handOver: decorate('hand over next', (jobIds) => handOverHeads(foundation, jobIds)),
    },
    takeFollowers: records.takeFollowers,
    recordDeadLetters,
    append: decorate('append outcome', foundation.callbacks.append),
    wasSettledBy: records.wasSettledBy,
    tidyUp: records.tidyUp,
    signal: () => outboxSignal.send(),
  };
}

/** Only the money tier has lines. */
async function handOverHeads({ database, tiers }: Foundation, jobIds: string[]): Promise<void> {
  await handOver(await takeHeads(database, jobIds), {
    enqueue: (jobs) => tiers.money.queue.add(jobs),
    markNotQueued: (ids) => markNotQueued(database, ids),
  });
}

import { QUEUE_POLICIES } from '../catalogue/queues';
import type { LowerTier, Tier } from '../contract/names';
import { Intake, type WhyUnavailable } from '../intake/accept';
import type { AnswerSteps } from '../intake/answers';
import { intakeMetrics, type IntakeMetrics } from '../intake/metrics';
import { MoneyClaims } from '../intake/money-claims';
import type { IntakeAnswer } from '../intake/request';
import { VolatileClaims } from '../intake/volatile-claims';
import { markNotQueued } from '../jobs/claim';
import { lockStanding } from '../jobs/conflicts';
import { noteAccepted } from '../jobs/counts';
import { readRefusals, recordDeadLetters } from '../jobs/dead-letters';
import { anyWaiting } from '../jobs/dispatch';
import { readFinished } from '../jobs/finished';
import { addFollowers, insertFollowers, readFollowed } from '../jobs/followers';
import { claimJobs } from '../jobs/ordered-claims';
import type { Component } from '../platform/lifecycle';
import { QueueWindow } from '../queues/window';
import type { Foundation } from './foundation';

/** Longer than any pause between two attempts of a lower tier's job, so that a tier whose work fails feels its pressure. */
const LATER_MS = 60_000;

/** The one door, shared by everything in this process that lets requests in. */
export interface IntakeRoom {
  intake: Intake;
  metrics: IntakeMetrics;
  /** Why a tier takes nothing now; undefined when it does. */
  tierProblem: (tier: Tier) => string | undefined;
  components: Component[];
}

/**
 * @param whyUnavailable why this deployment cannot run such a job; undefined when it can
 * @param blockedBy why nothing may be entrusted to the Redis of a tier; undefined when something may
 */
export function composeIntake(
  foundation: Foundation,
  whyUnavailable: WhyUnavailable,
  blockedBy: (tier: Tier) => string | undefined,
): IntakeRoom {
  const { log, database, decorate } = foundation;
  const metrics = intakeMetrics(foundation.metrics);
  const windows = {
    money: moneyWindow(foundation),
    communication: volatileWindow(foundation, 'communication'),
    background: volatileWindow(foundation, 'background'),
  };
  const answering: Omit<AnswerSteps, 'addFollowers'> = {
    transaction: (work) => database.transaction(work),
    recordDeadLetters: decorate('reject', recordDeadLetters),
    append: foundation.callbacks.append,
    signal: () => foundation.outboxSignal.send(),
  };
  const tierProblem = (tier: Tier): string | undefined =>
    blockedBy(tier) ?? (tier === 'money' ? undefined : storeProblem(foundation, tier, windows[tier]));
  const claims = {
    money: moneyClaims(foundation, answering, windows.money),
    communication: volatileClaims(foundation, answering, 'communication', windows.communication, tierProblem),
    background: volatileClaims(foundation, answering, 'background', windows.background, tierProblem),
  };
  const steps = {
    ...answering,
    onAnswer: (answer: IntakeAnswer, type: string, kept: boolean) => count(answer, type, kept, metrics),
  };
  return {
    intake: new Intake(claims, steps, whyUnavailable, log),
    metrics,
    tierProblem,
    components: Object.entries(windows).map(([tier, window]) => ({
      name: `${tier} window`,
      start: () => Promise.resolve(window.start()),
      stop: () => window.stop(),
    })),
  };
}

/** Why a tier that keeps its open jobs in its Redis alone cannot take any. */
function storeProblem({ config, tiers }: Foundation, tier: LowerTier, window: QueueWindow): string | undefined {
  if (tiers[tier].redis.status !== 'ready') return `the Redis of the ${tier} tier is not connected`;
  return window.isFull ? `${config.intake.windows[tier]} jobs of the ${tier} tier wait already` : undefined;
}

/** Money jobs that are not due for long wait in PostgreSQL, with all that find no room. */
function moneyWindow({ config, log, database, tiers: { money } }: Foundation): QueueWindow {
  const steps = {
    size: () => money.queue.size(),
    sizeOfLater: () => Promise.resolve(0),
    anyWaiting: () => anyWaiting(database),
  };
  return new QueueWindow(steps, config.intake.windows.money, log);
}

function volatileWindow({ config, log, tiers }: Foundation, tier: LowerTier): QueueWindow {
  const { queue } = tiers[tier];
  const steps = {
    size: () => queue.size(),
    sizeOfLater: () => queue.sizeOfLater(LATER_MS),
    anyWaiting: () => Promise.resolve(false),
  };
  return new QueueWindow(steps, config.intake.windows[tier], log);
}

function moneyClaims(
  { config, database, tiers, decorate, log }: Foundation,
  answering: Omit<AnswerSteps, 'addFollowers'>,
  window: QueueWindow,
): MoneyClaims {
  return new MoneyClaims(
    {
      ...answering,
      claim: decorate('claim', (asked) => claimJobs(database, asked)),
      enqueue: decorate('enqueue', (jobs) => tiers.money.queue.add(jobs)),
      markNotQueued: decorate('mark not queued', (jobIds) => markNotQueued(database, jobIds)),
      takeRoom: (wanted) => window.take(wanted),
      lockStanding,
      readFollowed,
      readRefusals,
      addFollowers: decorate('answer contested', addFollowers),
    },
    config.intake.claims,
    log,
  );
}

function volatileClaims(
  { config, database, tiers, decorate }: Foundation,
  answering: Omit<AnswerSteps, 'addFollowers'>,
  tier: LowerTier,
  window: QueueWindow,
  tierProblem: (tier: Tier) => string | undefined,
): VolatileClaims {
  const { jobs: open, queue } = tiers[tier];
  const { queueName } = QUEUE_POLICIES[tier];
  return new VolatileClaims(
    tier,
    {
      ...answering,
      claim: decorate('claim', (asked) => open.claim(asked)),
      confirm: decorate('confirm', (jobs) => open.confirm(jobs)),
      release: (asked) => open.release(asked),
      forget: (ended) => open.forget(ended),
      enqueue: decorate('enqueue', (jobs) => queue.add(jobs)),
      prolong: decorate('prolong', (jobs) => open.prolong(jobs)),
      problem: () => tierProblem(tier),
      takeRoom: (wanted) => window.takeAnyway(wanted),
      readFollowed: (requestKeys) => readFollowed(database, requestKeys),
      readRefusals: (keys) => readRefusals(database, keys),
      readFinished: (wanted) => readFinished(database, wanted),
      noteAccepted: decorate('note accepted', (books) => noteAccepted(database, queueName, books)),
      addFollowers: decorate('answer contested', insertFollowers),
    },
    config.intake.claims,
  );
}

function count(answer: IntakeAnswer, type: string, kept: boolean, metrics: IntakeMetrics): void {
  metrics.consumed.inc({ outcome: answer.kind, job_type: type });
  if (answer.kind === 'redelivered') metrics.redeliveries.inc({ job_type: type });
  if (answer.kind === 'rejected' && kept) metrics.deadLetters.inc({ code: answer.code });
}

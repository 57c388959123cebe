/**
 * A job in doubt, settled by the word of a person who looked at the provider. One transaction under the job's row lock:
 * of two people one decides, and an answer of the provider that comes at the same moment is either seen, and counts, or
 * finds the decision made.
 */
import type { OutcomeError } from '../contract/outcome';
import type { CancellableJob } from '../jobs/cancel';
import type { DeadLetter } from '../jobs/dead-letters';
import { BY_HAND, type DoubtfulEffect, type EffectVerdict, type failByHand, type JobDecision } from '../jobs/doubt';
import type { Follower } from '../jobs/followers';
import { duplicateOutcome, jobOutcome, type OutcomeFacts, type PublishableOutcome } from '../jobs/outcomes';
import { uuidV5 } from '../platform/ids';
import type { Transaction } from '../platform/postgres/database';
import { isUncertain, judge, type Decision, type HandlersWord, type Refusal, type ValueOfTold } from './doubt-verdict';

export type DoubtAnswer =
  /** It runs again, and knows from the ledger what happened. */
  | { kind: 'goesOn' }
  | { kind: 'failed'; keyReleased: boolean }
  /** The decision is kept; these effects are still uncertain. */
  | { kind: 'stillInDoubt'; effects: string[] }
  | { kind: 'notFound' }
  | { kind: 'notInDoubt'; status: string }
  | Refusal;

export interface DoubtSteps {
  transaction: <Value>(work: (tx: Transaction) => Promise<Value>) => Promise<Value>;
  lock: (tx: Transaction, jobId: string) => Promise<CancellableJob | undefined>;
  readEffects: (tx: Transaction, jobId: string) => Promise<DoubtfulEffect[]>;
  valueOfTold: (jobType: string, ...told: Parameters<ValueOfTold>) => ReturnType<ValueOfTold>;
  /** Whether the job's handler can go on with what the ledger has of an effect that happened. */
  isReadable: (jobType: string, effect: DoubtfulEffect) => boolean;
  recordVerdict: (tx: Transaction, jobId: string, verdict: EffectVerdict) => Promise<void>;
  recordDecision: (tx: Transaction, decision: JobDecision) => Promise<void>;
  reopen: (tx: Transaction, jobId: string) => Promise<void>;
  fail: typeof failByHand;
  /** Its line goes on without it. */
  releaseLines: (tx: Transaction, jobIds: string[]) => Promise<unknown>;
  takeFollowers: (tx: Transaction, jobIds: string[]) => Promise<Follower[]>;
  recordDeadLetters: (tx: Transaction, letters: DeadLetter[]) => Promise<unknown>;
  append: (tx: Transaction, messages: PublishableOutcome[]) => Promise<void>;
  /** Has the waiting job fed to Redis soon. */
  wakeFeeder: () => void;
  /** Tells the relay, after the commit. */
  signal: () => void;
}

/** Settles a job in doubt as a person decided, or says why not; then nothing was changed. */
export async function settleDoubt(steps: DoubtSteps, jobId: string, decision: Decision): Promise<DoubtAnswer> {
  const answer = await steps.transaction((tx) => settleLocked(steps, tx, jobId, decision));
  if (answer.kind === 'goesOn') steps.wakeFeeder();
  if (answer.kind === 'failed') steps.signal();
  return answer;
}

async function settleLocked(
  steps: DoubtSteps,
  tx: Transaction,
  jobId: string,
  decision: Decision,
): Promise<DoubtAnswer> {
  const job = await steps.lock(tx, jobId);
  if (!job) return { kind: 'notFound' };
  if (job.status !== 'in_doubt') return { kind: 'notInDoubt', status: job.status };
  // Read under the lock: whoever records what the provider answered takes it too.
  const effects = await steps.readEffects(tx, jobId);
  const handlers: HandlersWord = {
    valueOfTold: (...told) => steps.valueOfTold(job.type, ...told),
    isReadable: (effect) => steps.isReadable(job.type, effect),
  };
  const judged = judge(decision, effects, handlers);
  if ('refusal' in judged) return judged.refusal;
  const { verdict } = judged;
  const next = decision.said === 'happened' ? 'retry' : decision.next;
  if (verdict) await steps.recordVerdict(tx, jobId, verdict);
  const { by, reason } = decision;
  await steps.recordDecision(tx, { jobId, generation: job.generation, verdict, next, by, reason });
  const others = effects.filter(({ name, number }) => name !== verdict?.name || number !== verdict.number);
  const uncertain = others.filter(isUncertain);
  if (uncertain.length > 0) return { kind: 'stillInDoubt', effects: uncertain.map(({ name }) => name) };
  if (next === 'fail') return failLocked(steps, tx, job, others, 'told' in decision ? decision.told : undefined);
  await steps.reopen(tx, jobId);
  return { kind: 'goesOn' };
}

/**
 * @param others the effects beside one that did not happen
 * @param told the provider's word, if it is by that
 */
async function failLocked(
  steps: DoubtSteps,
  tx: Transaction,
  job: CancellableJob,
  others: DoubtfulEffect[],
  told: { code: string; message: string } | undefined,
): Promise<DoubtAnswer> {
  const { jobId } = job;
  const now = new Date();
  const error = errorOf(job, told);
  const sequence = job.sequence + 1;
  // A key whose effect happened stays held: asking again under it must not make it happen twice.
  const releaseKey = !others.some(({ state }) => state === 'done');
  await steps.fail(tx, jobId, { error, sequence, releaseKey, finishedAt: now, reason: told ? told.code : BY_HAND });
  await steps.releaseLines(tx, [jobId]);
  const facts: OutcomeFacts = { ...job, error, sequence, finishedAt: now };
  const followers = job.hasFollowers ? await steps.takeFollowers(tx, [jobId]) : [];
  await steps.append(tx, [
    jobOutcome(job, 'failed', facts, now),
    ...followers.map((follower) => duplicateOutcome(job, follower, facts, 'finished', now)),
  ]);
  await steps.recordDeadLetters(tx, [letterOf(job, error)]);
  return { kind: 'failed', keyReleased: releaseKey };
}

const ENDED_BY_HAND = {
  code: 'ENDED_BY_HAND',
  message: 'nobody could know what had become of the job until a person found out, and ended it',
};

/** Who ended it, and why, stays here: it is nobody's business outside. */
function errorOf({ error }: CancellableJob, told: { code: string; message: string } = ENDED_BY_HAND): OutcomeError {
  return {
    ...told,
    replayable: true,
    ...(error ? { details: [{ path: 'doubt', message: error.code }] } : {}),
  };
}

function letterOf({ jobId, generation, tier, type }: CancellableJob, { code, message }: OutcomeError): DeadLetter {
  return {
    kind: 'gave_up',
    dedupeKey: uuidV5(jobId, `gave-up:${generation}`),
    jobId,
    queueName: tier,
    jobType: type,
    code,
    errors: [{ path: 'attempts', message }],
  };
}

import type { CancellableJob } from '../jobs/cancel';
import type { Follower } from '../jobs/followers';
import { duplicateOutcome, jobOutcome, type OutcomeFacts, type PublishableOutcome } from '../jobs/outcomes';
import type { Transaction } from '../platform/postgres/database';

export type CancelAnswer =
  | { kind: 'cancelled' }
  /** It runs: it stops before its next effect, or ends as that effect does. Its outcome tells. */
  | { kind: 'requested' }
  /** It has ended, or an effect may have happened. */
  | { kind: 'tooLate'; status: string }
  | { kind: 'notFound' };

export interface CancelSteps {
  transaction: <Value>(work: (tx: Transaction) => Promise<Value>) => Promise<Value>;
  lock: (tx: Transaction, jobId: string) => Promise<CancellableJob | undefined>;
  cancelPending: (tx: Transaction, jobId: string, reason: string, finishedAt: Date) => Promise<void>;
  /** Its line goes on without it. */
  releaseLines: (tx: Transaction, jobIds: string[]) => Promise<unknown>;
  requestCancel: (tx: Transaction, jobId: string) => Promise<void>;
  takeFollowers: (tx: Transaction, jobIds: string[]) => Promise<Follower[]>;
  append: (tx: Transaction, messages: PublishableOutcome[]) => Promise<void>;
  signal: () => void;
}

/** Ends a waiting job at once, and asks a running one to end before its next effect. */
export async function cancelJob(steps: CancelSteps, jobId: string, reason: string): Promise<CancelAnswer> {
  const answer = await steps.transaction((tx) => cancelLocked(steps, tx, jobId, reason));
  if (answer.kind === 'cancelled') steps.signal();
  return answer;
}

async function cancelLocked(steps: CancelSteps, tx: Transaction, jobId: string, reason: string): Promise<CancelAnswer> {
  const job = await steps.lock(tx, jobId);
  if (!job) return { kind: 'notFound' };
  if (job.status === 'processing') {
    await steps.requestCancel(tx, jobId);
    return { kind: 'requested' };
  }
  if (job.status !== 'pending' || job.effectBegun) return { kind: 'tooLate', status: job.status };
  const now = new Date();
  await steps.cancelPending(tx, jobId, reason, now);
  await steps.releaseLines(tx, [jobId]);
  const facts: OutcomeFacts = { ...job, sequence: job.sequence + 1, finishedAt: now };
  const followers = job.hasFollowers ? await steps.takeFollowers(tx, [jobId]) : [];
  await steps.append(tx, [
    jobOutcome(job, 'cancelled', facts, now),
    ...followers.map((follower) => duplicateOutcome(job, follower, facts, 'finished', now)),
  ]);
  return { kind: 'cancelled' };
}

import type { CancellableJob } from '../jobs/cancel';
import type { Transaction } from '../platform/postgres/database';
import { isUniqueViolation } from '../platform/postgres/errors';

export type ReplayAnswer =
  | { kind: 'replayed'; generation: number }
  /** A later job holds the key: its work is done or under way. */
  | { kind: 'superseded' }
  | { kind: 'notFailed'; status: string }
  | { kind: 'notFound' };

export interface ReplaySteps {
  transaction: <Value>(work: (tx: Transaction) => Promise<Value>) => Promise<Value>;
  lock: (tx: Transaction, jobId: string) => Promise<CancellableJob | undefined>;
  liveKeyOf: (tx: Transaction, jobId: string) => Promise<string>;
  /** At the end of the line of its ordering key, if it has one. */
  rejoinLine: (tx: Transaction, jobId: string) => Promise<void>;
  replay: (tx: Transaction, jobId: string, liveKey: string, reason: string) => Promise<void>;
  /** Has the waiting job fed to Redis soon. */
  wakeFeeder: () => void;
}

/** Gives a failed job another life: the next generation, with all its attempts, under the same key and ledger. */
export async function replayJob(steps: ReplaySteps, jobId: string, reason: string): Promise<ReplayAnswer> {
  try {
    const answer = await steps.transaction((tx) => replayLocked(steps, tx, jobId, reason));
    if (answer.kind === 'replayed') steps.wakeFeeder();
    return answer;
  } catch (error) {
    if (isUniqueViolation(error)) return { kind: 'superseded' };
    throw error;
  }
}

async function replayLocked(steps: ReplaySteps, tx: Transaction, jobId: string, reason: string): Promise<ReplayAnswer> {
  const job = await steps.lock(tx, jobId);
  if (!job) return { kind: 'notFound' };
  if (job.status !== 'failed') return { kind: 'notFailed', status: job.status };
  await steps.rejoinLine(tx, jobId);
  await steps.replay(tx, jobId, await steps.liveKeyOf(tx, jobId), reason);
  return { kind: 'replayed', generation: job.generation + 1 };
}

import type { Follower } from '../jobs/followers';
import type { JobRecord } from '../jobs/job';
import { duplicateOutcome, type PublishableOutcome } from '../jobs/outcomes';
import type { Transaction } from '../platform/postgres/database';

export interface LateFollowersSteps {
  isLeader: () => boolean;
  transaction: <Value>(work: (tx: Transaction) => Promise<Value>) => Promise<Value>;
  take: (tx: Transaction) => Promise<{ follower: Follower; job: JobRecord }[]>;
  append: (tx: Transaction, messages: PublishableOutcome[]) => Promise<void>;
  /** Tells the relay, after the commit. */
  signal: () => void;
}

/**
 * Answers those who followed a job that ended and had more followers than its settling could answer, a page at a time.
 * Driven by the rows alone: it may stop anywhere and go on anywhere.
 */
export async function answerLateFollowers(steps: LateFollowersSteps): Promise<void> {
  while (steps.isLeader()) {
    const answered = await steps.transaction(async (tx) => {
      const late = await steps.take(tx);
      const now = new Date();
      await steps.append(
        tx,
        late.map(({ follower, job }) => duplicateOutcome(job, follower, job, 'finished', now)),
      );
      return late.length;
    });
    if (answered === 0) return;
    steps.signal();
  }
}

import { isReadable, valueOfTold } from '../handlers/told-effects';
import { lockForDecision } from '../jobs/cancel';
import { recordDeadLetters } from '../jobs/dead-letters';
import { failByHand, readDoubtfulEffects, recordDecision, recordVerdict, reopenByHand } from '../jobs/doubt';
import { takeFollowers } from '../jobs/followers';
import { releaseLines } from '../jobs/ordering-keys';
import type { DoubtSteps } from '../recovery/doubt';

/** How a job in doubt is settled by hand, in the service as by its command. */
export function doubtSteps(around: Pick<DoubtSteps, 'transaction' | 'append' | 'wakeFeeder' | 'signal'>): DoubtSteps {
  return {
    ...around,
    lock: lockForDecision,
    readEffects: readDoubtfulEffects,
    valueOfTold,
    isReadable,
    recordVerdict,
    recordDecision,
    reopen: reopenByHand,
    fail: failByHand,
    releaseLines,
    takeFollowers,
    recordDeadLetters,
  };
}

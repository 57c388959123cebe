import { randomUUID } from 'node:crypto';
import { Guard, type GuardSteps } from '../../src/execution/guard';
import { SuspectLane } from '../../src/execution/suspects';

/** A guard over a record. @param lost so many answers to starts that took effect do not arrive */
export function openGuard(steps: GuardSteps, lost = 0): Guard {
  let toLose = lost;
  const arrive = <Answer>(answer: Answer): Answer => {
    toLose -= 1;
    if (toLose >= 0) throw new Error('the answer was lost');
    return answer;
  };
  return new Guard(
    {
      readUnstarted: (jobId) => steps.readUnstarted(jobId),
      start: async (requests) => arrive(await steps.start(requests)),
      startExceptional: async (request, counted) => arrive(await steps.startExceptional(request, counted)),
    },
    randomUUID,
    new SuspectLane(),
    10,
  );
}

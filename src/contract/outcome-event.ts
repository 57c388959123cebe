import { z } from 'zod';
import { cloudEvent } from './envelope';
import { outcomeData } from './outcome';

/** An outcome as it stands on the broker. Members that a later version adds are allowed, and not read. */
export const outcomeEvent = cloudEvent.extend({
  /** The job's id. */
  subject: z.string().optional(),
  data: outcomeData,
});

export type OutcomeEvent = z.infer<typeof outcomeEvent>;

import { z } from 'zod';

/**
 * All that Redis holds of a money job. PostgreSQL has the rest: what Redis could lose or keep in an old state is then
 * only a hint that a job is due, and a waiting job costs about 1 kB of Redis.
 */
export interface JobRef {
  jobId: string;
  generation: number;
  dispatch: number;
}

export interface QueuedJob extends JobRef {
  type: string;
  /** 1 to 10, 10 most urgent. */
  priority: number;
  delayMs: number;
}

export const jobRef = z.object({ jobId: z.uuid(), generation: z.int(), dispatch: z.int() });

/** BullMQ's most urgent is 0, ours is 10. */
export function bullPriority(priority: number): number {
  return MOST_URGENT - priority;
}

export function priorityOf(bullPriority: number): number {
  return MOST_URGENT - bullPriority;
}

const MOST_URGENT = 10;

/** No text from outside enters a BullMQ id: it refuses colons and plain integers, and one bad id sinks a whole batch. */
export function bullId({ jobId, generation, dispatch }: JobRef): string {
  return `${jobId}-${generation}-${dispatch}`;
}

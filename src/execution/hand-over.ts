import type { Dispatch } from '../jobs/dispatch';
import type { QueuedJob } from '../queues/ref';

export interface HandOverSteps {
  enqueue: (jobs: QueuedJob[]) => Promise<void>;
  markNotQueued: (jobIds: string[]) => Promise<void>;
}

/** Hands jobs to Redis that were taken for it. @throws when it fails; then they wait in PostgreSQL again */
export async function handOver(jobs: Dispatch[], { enqueue, markNotQueued }: HandOverSteps): Promise<void> {
  if (jobs.length === 0) return;
  try {
    await enqueue(jobs.map(toQueued));
  } catch (error) {
    await markNotQueued(jobs.map((job) => job.jobId));
    throw error;
  }
}

export function toQueued({ jobId, generation, dispatch, jobType, priority, delayMs }: Dispatch): QueuedJob {
  return { jobId, generation, dispatch, type: jobType, priority, delayMs };
}

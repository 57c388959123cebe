import type { JobView } from '../jobs/read';
import { QUEUE_POLICIES } from '../catalogue/queues';
import { sourceOf, type Principal } from './principal';

/** Whom something concerns. */
export type Concerned = Pick<JobView, 'source' | 'userId' | 'venueId'>;

/** Who may see a job: whom it concerns, and who is there for everybody. Whoever may not is told that there is none. */
export function maySee(principal: Principal, job: Concerned): boolean {
  switch (principal.role) {
    case 'admin':
      return true;
    case 'service':
      return job.source === sourceOf(principal);
    case 'venue_admin':
      return job.venueId !== undefined && principal.venues.includes(job.venueId);
    case 'user':
      return job.userId === principal.id;
    case 'monitoring':
      return false;
  }
}

/** The public form of a job. */
export function jobAnswer(job: JobView, now: Date) {
  return {
    id: job.jobId,
    queue: QUEUE_POLICIES[job.tier].queueName,
    type: job.type,
    data: job.data ?? null,
    state: stateOf(job, now),
    progress: job.status === 'completed' ? 100 : job.progress,
    attempts: job.attempts,
    maxAttempts: job.maxAttempts ?? null,
    generation: job.generation,
    idempotencyKey: job.idempotencyKey,
    correlationId: job.correlationId ?? null,
    result: job.result ?? null,
    error: job.error,
    createdAt: job.acceptedAt.toISOString(),
    runAt: job.runAt?.toISOString() ?? null,
    processedAt: job.startedAt?.toISOString() ?? null,
    finishedAt: job.finishedAt?.toISOString() ?? null,
  };
}

/** The names of states that callers have always been told, and two that they had not. */
function stateOf({ status, runAt }: JobView, now: Date): string {
  if (status === 'processing') return 'active';
  if (status !== 'pending') return status;
  return runAt !== undefined && runAt > now ? 'delayed' : 'waiting';
}

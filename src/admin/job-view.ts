import type { JobView } from '../jobs/read';
import { QUEUE_POLICIES } from '../catalogue/queues';
import { sourceOf, type Principal } from './principal';

/** Who may see a job: whom it concerns, and who is there for everybody. Whoever may not is told that there is none. */
export function maySee(principal: Principal, job: JobView): boolean {
  switch (principal.role) {
    case 'admin':
      return true;
    case 'service':
      return job.source === sourceOf(principal);
    case 'venue_admin': {
      const venueId = memberOf(job.data, 'venueId');
      return venueId !== undefined && principal.venues.includes(venueId);
    }
    case 'user':
      return memberOf(job.data, 'userId') === principal.id;
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
    data: job.data,
    state: stateOf(job, now),
    progress: job.status === 'completed' ? 100 : 0,
    attempts: job.attempts,
    maxAttempts: job.maxAttempts,
    generation: job.generation,
    idempotencyKey: job.idempotencyKey,
    correlationId: job.correlationId ?? null,
    result: job.result ?? null,
    error: job.error,
    createdAt: job.acceptedAt.toISOString(),
    runAt: job.runAt.toISOString(),
    processedAt: job.startedAt?.toISOString() ?? null,
    finishedAt: job.finishedAt?.toISOString() ?? null,
  };
}

/** The names of states that callers have always been told, and two that they had not. */
function stateOf({ status, runAt }: JobView, now: Date): string {
  if (status === 'processing') return 'active';
  if (status !== 'pending') return status;
  return runAt > now ? 'delayed' : 'waiting';
}

function memberOf(data: unknown, name: string): string | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const value: unknown = Object.getOwnPropertyDescriptor(data, name)?.value;
  return typeof value === 'string' ? value : undefined;
}

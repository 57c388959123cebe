import type { Tier } from '../contract/names';
import type { OutcomeError } from '../contract/outcome';

/**
 * pending → processing → completed | failed | cancelled | in_doubt, and back to pending for a retry; a failed job goes to
 * pending again by a replay, which raises its generation. The database refuses any other move.
 */
export type JobStatus = 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled' | 'in_doubt';

/** Which handing-over of a job to Redis is meant; a message for an older one is stale. */
export interface DispatchedJob {
  jobId: string;
  generation: number;
  dispatch: number;
}

/** What identifies a job and whom to answer, as far as outcomes need it. */
export interface JobIdentity {
  jobId: string;
  tier: Tier;
  type: string;
  idempotencyKey: string;
  requestId: string;
  source: string;
  correlationId: string | undefined;
  traceparent: string | undefined;
  generation: number;
  acceptedAt: Date;
}

/** A job as its record stands. */
export interface JobRecord extends JobIdentity {
  status: JobStatus;
  dispatch: number;
  attempts: number;
  sequence: number;
  result: unknown;
  error: OutcomeError | null;
  startedAt: Date | undefined;
  finishedAt: Date | undefined;
}

const TERMINAL: readonly JobStatus[] = ['completed', 'failed', 'cancelled'];

export function isTerminal(status: JobStatus): boolean {
  return TERMINAL.includes(status);
}

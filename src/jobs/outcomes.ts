import {
  jobOutcomeId,
  outcomeMessage,
  requestOutcomeId,
  type OutcomeData,
  type OutcomeMessage,
  type OutcomeName,
} from '../contract/outcome';
import type { Follower } from './followers';
import type { JobIdentity, JobRecord } from './job';

/** An outcome as the outbox takes it. */
export interface PublishableOutcome extends OutcomeMessage {
  /** Outcomes about one job are published in order: they share its id. */
  orderingKey: string;
  mandatory: false;
}

/** What an outcome tells beside the identity of its job. */
export type OutcomeFacts = Pick<JobRecord, 'attempts' | 'sequence' | 'result' | 'error' | 'startedAt' | 'finishedAt'>;

/** The outcome of a job, for its requester and everybody who listens. */
export function jobOutcome(job: JobIdentity, outcome: OutcomeName, facts: OutcomeFacts, now: Date): PublishableOutcome {
  const id = jobOutcomeId(job.jobId, job.generation, outcome, facts.sequence);
  const data = outcomeData(job, outcome, facts, { requestId: job.requestId, correlationId: job.correlationId });
  return ordered(outcomeMessage(id, data, { source: job.source, traceparent: job.traceparent, time: now }), job.jobId);
}

/**
 * The answer to a request whose work another job does. Sent when the request comes (`first`), and again with the result
 * when that job ends, under a second id.
 */
export function duplicateOutcome(
  job: JobIdentity,
  follower: Follower,
  facts: OutcomeFacts,
  stage: 'first' | 'finished',
  now: Date,
): PublishableOutcome {
  const id = requestOutcomeId(follower.requestKey, 'duplicate', stage);
  const data = outcomeData(job, 'duplicate', facts, follower);
  const { source, traceparent } = follower;
  // In order with the other answer to the same request, and with nothing else: a job may have thousands of followers.
  return ordered(outcomeMessage(id, data, { source, traceparent, time: now }), follower.requestKey);
}

function ordered(message: OutcomeMessage, orderingKey: string): PublishableOutcome {
  return { orderingKey, mandatory: false, ...message };
}

function outcomeData(
  job: JobIdentity,
  outcome: OutcomeName,
  facts: OutcomeFacts,
  request: { requestId: string; correlationId: string | undefined },
): OutcomeData {
  return {
    jobId: job.jobId,
    queue: job.tier,
    type: job.type,
    outcome,
    requestId: request.requestId,
    correlationId: request.correlationId ?? null,
    idempotencyKey: job.idempotencyKey,
    generation: job.generation,
    sequence: facts.sequence,
    attempts: facts.attempts,
    result: facts.result,
    error: facts.error,
    acceptedAt: job.acceptedAt.toISOString(),
    startedAt: facts.startedAt?.toISOString() ?? null,
    finishedAt: facts.finishedAt?.toISOString() ?? null,
  };
}

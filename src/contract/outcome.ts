import { uuidV5 } from '../platform/ids';
import type { Problem } from '../platform/json-problems';
import { CONTENT_TYPE, EXCHANGES, requesterKey, routingType, SERVICE_SOURCE } from './names';

export type OutcomeName = 'completed' | 'failed' | 'cancelled' | 'attention' | 'duplicate' | 'rejected';

export interface OutcomeError {
  /** UPPER_SNAKE; see docs/errors.md. */
  code: string;
  message: string;
  /** Whether an operator's replay can help. */
  replayable: boolean;
  details?: Problem[];
}

/** `data` of an outcome event. Every field is always present; what is not known or does not apply is null. */
export interface OutcomeData {
  jobId: string | null;
  /** A tier, or the name of the place that an unreadable message came from. */
  queue: string;
  type: string;
  outcome: OutcomeName;
  requestId: string | null;
  correlationId: string | null;
  idempotencyKey: string | null;
  generation: number | null;
  /** Rises with every outcome of the job itself; an answer to a duplicate repeats the last one. */
  sequence: number;
  attempts: number;
  result: unknown;
  error: OutcomeError | null;
  acceptedAt: string | null;
  startedAt: string | null;
  finishedAt: string | null;
}

/** An outcome ready to be written to the outbox: `id` stays the same however often it is published. */
export interface OutcomeMessage {
  id: string;
  exchange: string;
  routingKey: string;
  contentType: string;
  type: string;
  correlationId: string | undefined;
  alsoTo: string[];
  headers: Record<string, string>;
  body: string;
}

/** Namespace of all outcome ids: the UUIDv5 of `jobs.events` in the URL namespace of RFC 9562. */
const OUTCOME_NAMESPACE = uuidV5('6ba7b811-9dad-11d1-80b4-00c04fd430c8', EXCHANGES.outcomes);

/** The id of an outcome of a job: one for each generation and kind. `attention` may recur, so its sequence is added. */
export function jobOutcomeId(jobId: string, generation: number, outcome: OutcomeName, sequence: number): string {
  const recurring = outcome === 'attention' ? `:${sequence}` : '';
  return uuidV5(OUTCOME_NAMESPACE, `${jobId}:${generation}:${outcome}${recurring}`);
}

/** The id of an answer to a request that became no job of its own; `stage` tells a second answer from the first. */
export function requestOutcomeId(requestKey: string, outcome: OutcomeName, stage: string): string {
  return uuidV5(OUTCOME_NAMESPACE, `${requestKey}:${outcome}:${stage}`);
}

export function outcomeMessage(
  id: string,
  data: OutcomeData,
  to: { source: string | undefined; traceparent: string | undefined; time: Date },
): OutcomeMessage {
  const type = `com.tickettoken.job.${data.outcome}.v1`;
  const event = {
    specversion: '1.0',
    id,
    source: SERVICE_SOURCE,
    type,
    ...(data.jobId === null ? {} : { subject: data.jobId }),
    time: to.time.toISOString(),
    datacontenttype: 'application/json',
    ...(data.correlationId === null ? {} : { correlationid: data.correlationId }),
    ...(to.traceparent === undefined ? {} : { traceparent: to.traceparent }),
    data,
  };
  return {
    id,
    exchange: EXCHANGES.outcomes,
    routingKey: `${data.queue}.${routingType(data.type)}.${data.outcome}`,
    contentType: CONTENT_TYPE,
    type,
    correlationId: data.correlationId ?? undefined,
    alsoTo: to.source === undefined ? [] : [requesterKey(to.source)],
    headers: to.traceparent === undefined ? {} : { traceparent: to.traceparent },
    body: JSON.stringify(event),
  };
}

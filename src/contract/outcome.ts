import { z } from 'zod';
import { uuidV5 } from '../platform/ids';
import { eventMessage } from './envelope';
import { EXCHANGES, requesterKey, routingType, SERVICE_SOURCE } from './names';

export const OUTCOMES = ['completed', 'failed', 'cancelled', 'attention', 'duplicate', 'rejected'] as const;
export type OutcomeName = (typeof OUTCOMES)[number];

/** Why a job or a request came to no good end. */
export const outcomeError = z.object({
  /** UPPER_SNAKE, or the provider's own word; see docs/errors.md. */
  code: z.string(),
  message: z.string(),
  /** Whether an operator's replay can help. */
  replayable: z.boolean(),
  details: z.array(z.object({ path: z.string(), message: z.string() })).exactOptional(),
});
export type OutcomeError = z.infer<typeof outcomeError>;

/** `data` of an outcome event. Every field is always present; what is not known or does not apply is null. */
export const outcomeData = z.object({
  jobId: z.uuid().nullable(),
  /** A tier, or the name of the place that an unreadable message came from. */
  queue: z.string(),
  type: z.string(),
  outcome: z.enum(OUTCOMES),
  requestId: z.string().nullable(),
  correlationId: z.string().nullable(),
  idempotencyKey: z.string().nullable(),
  generation: z.int().nullable(),
  /** Rises with every outcome of the job itself; an answer to a duplicate repeats the last one. */
  sequence: z.int(),
  attempts: z.int(),
  result: z.unknown(),
  error: outcomeError.nullable(),
  acceptedAt: z.iso.datetime().nullable(),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
});
export type OutcomeData = z.infer<typeof outcomeData>;

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
  return {
    exchange: EXCHANGES.outcomes,
    routingKey: `${data.queue}.${routingType(data.type)}.${data.outcome}`,
    alsoTo: to.source === undefined ? [] : [requesterKey(to.source)],
    ...eventMessage({
      id,
      source: SERVICE_SOURCE,
      type: `com.tickettoken.job.${data.outcome}.v1`,
      subject: data.jobId ?? undefined,
      time: to.time.toISOString(),
      correlationId: data.correlationId ?? undefined,
      traceparent: to.traceparent,
      data,
    }),
  };
}

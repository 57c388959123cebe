import { outcomeMessage, requestOutcomeId, type OutcomeMessage } from '../contract/outcome';
import type { DeadLetter } from '../jobs/dead-letters';
import { sha256, uuidV5 } from '../platform/ids';
import type { OutboxMessage } from '../outbox/rows';
import type { Rejection } from './request';

/** Namespace for what has no identity of its own and is known by its bytes: `NIL` of RFC 9562. */
const NIL = '00000000-0000-0000-0000-000000000000';

/** The same message refused again is the same rejection. One identity with two bodies is two. */
export function rejectionKey(rejection: Pick<Rejection, 'requestKey' | 'body'>): string {
  return uuidV5(rejection.requestKey ?? NIL, `rejected:${sha256(rejection.body)}`);
}

export function deadLetterOf(rejection: Rejection): DeadLetter {
  return {
    kind: rejection.code === 'POISON_MESSAGE' ? 'poison' : 'rejected',
    dedupeKey: rejectionKey(rejection),
    ...(rejection.jobId === undefined ? {} : { jobId: rejection.jobId }),
    ...(rejection.requestKey === undefined ? {} : { requestKey: rejection.requestKey }),
    queueName: rejection.origin,
    jobType: rejection.type ?? 'unknown',
    code: rejection.code,
    errors: rejection.problems,
    body: rejection.body,
  };
}

/** The answer to a refused request: every problem with it, and of its content nothing. */
export function rejectedOutcome(rejection: Rejection, now: Date): OutboxMessage {
  const key = rejectionKey(rejection);
  const message: OutcomeMessage = outcomeMessage(
    requestOutcomeId(key, 'rejected', 'first'),
    {
      jobId: rejection.jobId ?? null,
      queue: rejection.origin,
      type: rejection.type ?? 'unknown',
      outcome: 'rejected',
      requestId: rejection.requestId ?? null,
      correlationId: rejection.correlationId ?? null,
      idempotencyKey: rejection.idempotencyKey ?? null,
      generation: null,
      sequence: 0,
      attempts: 0,
      result: null,
      error: {
        code: rejection.code,
        message: SENTENCES[rejection.code],
        replayable: false,
        details: rejection.problems,
      },
      acceptedAt: null,
      startedAt: null,
      finishedAt: null,
    },
    { source: rejection.source, traceparent: rejection.traceparent, time: now },
  );
  return { ...message, orderingKey: key, mandatory: false };
}

const SENTENCES: Record<Rejection['code'], string> = {
  UNREADABLE: 'The message cannot be read.',
  INVALID_REQUEST: 'The request does not have the form that its type asks for.',
  UNKNOWN_TYPE: 'The job type does not exist.',
  WRONG_QUEUE: 'Queue, type and routing key do not belong together.',
  UNKNOWN_EVENT: 'The domain event is not known.',
  IDEMPOTENCY_CONFLICT: 'The idempotency key is held by a job with another payload.',
  REQUEST_ID_REUSED: 'A request with this identity and another payload was accepted before.',
  POISON_MESSAGE: 'The message ended the processes that read it.',
  NOT_STORABLE: 'The request cannot be stored.',
  TYPE_UNAVAILABLE: 'The job type cannot be run at present.',
};

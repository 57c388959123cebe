import type { JobType } from '../catalogue/job-type';
import type { JobOptions } from '../contract/job-request';
import type { Problem } from '../platform/json-problems';

/** A sound request for one job, whatever way it came in. */
export interface IntakeRequest {
  type: JobType;
  /** The payload as received. */
  data: unknown;
  /** The caller's key, or the default one of its type. */
  idempotencyKey: { callers: boolean; key: string };
  options: JobOptions;
  /** Jobs of one key and scope run one after the other, in the order in which they are accepted. Money tier only. */
  orderingKey: { scope: string; key: string } | undefined;
  requestKey: string;
  requestId: string;
  source: string;
  correlationId: string | undefined;
  traceparent: string | undefined;
}

/**
 * A sound request with the bytes that it came in, kept as a dead letter should it be refused after all. Without them
 * whoever asked learns of a refusal at once, by the answer (HTTP): nothing is kept and nothing published.
 */
export interface Offer {
  request: IntakeRequest;
  body: Buffer | undefined;
  /** It came by a queue that others need too: while its tier cannot take it, it may wait in the tier's own queue. */
  mayDetour: boolean;
}

/** Why a message or request can never be accepted. UPPER_SNAKE, see docs/errors.md. */
export type RejectionCode =
  | 'UNREADABLE'
  | 'INVALID_REQUEST'
  | 'UNKNOWN_TYPE'
  | 'WRONG_QUEUE'
  | 'UNKNOWN_EVENT'
  | 'IDEMPOTENCY_CONFLICT'
  | 'REQUEST_ID_REUSED'
  | 'POISON_MESSAGE'
  | 'NOT_STORABLE'
  | 'TYPE_UNAVAILABLE';

/** A message or request that is refused for good, with everything that is wrong with it. */
export interface Rejection {
  code: RejectionCode;
  problems: Problem[];
  /** What could be read of it, for the answer. */
  origin: string;
  type: string | undefined;
  requestId: string | undefined;
  source: string | undefined;
  correlationId: string | undefined;
  traceparent: string | undefined;
  idempotencyKey: string | undefined;
  requestKey: string | undefined;
  jobId: string | undefined;
  body: Buffer;
}

/** What became of a request at the door. */
export type IntakeAnswer =
  | { kind: 'created'; jobId: string }
  /** The same request came again: nothing new happens. */
  | { kind: 'redelivered'; jobId: string }
  | { kind: 'duplicate'; jobId: string }
  /** Its tier cannot take it now: it is to wait in the tier's own request queue. */
  | { kind: 'detoured' }
  | { kind: 'rejected'; code: RejectionCode; problems: Problem[]; jobId: string | undefined };

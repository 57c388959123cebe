import { withChoice, type DefaultChoices } from '../catalogue/choice';
import { QUEUE_POLICIES } from '../catalogue/queues';
import type { Claim } from '../jobs/claim';
import { FEED_AHEAD_MS } from '../jobs/dispatch';
import { uuidV7 } from '../platform/ids';
import type { QueuedJob } from '../queues/ref';
import { fingerprintOf, hiddenKey, liveKeyOf, orderingKeyOf } from './keys';
import { effectiveOptions } from './options';
import { rejectionKey } from './rejections';
import type { Offer } from './request';

/** What decides about claims beside their requests. */
export interface ClaimRules {
  /** Turns default keys, which hold addresses, into what is stored. */
  keySecret: string;
  defaultChoices: DefaultChoices;
}

/** A request → the job that it would become. `room` says whether Redis may hold one more. */
export function toClaim({ request, body }: Offer, { keySecret, defaultChoices }: ClaimRules, room: boolean): Claim {
  const { type, options } = request;
  const { priority, delay, attempts, timeout } = effectiveOptions(type, options);
  const { callers, key } = request.idempotencyKey;
  const keyScope = callers ? request.source : '';
  const idempotencyKey = callers ? key : hiddenKey(keySecret, key);
  return {
    jobId: uuidV7(),
    queueName: QUEUE_POLICIES[type.queue].queueName,
    jobType: type.name,
    priority,
    data: JSON.stringify(withChoice(type, request.data, defaultChoices)),
    idempotencyKey,
    keyScope,
    liveKey: liveKeyOf(type.name, keyScope, idempotencyKey),
    fingerprint: fingerprintOf(type.name, request.data),
    requestKey: request.requestKey,
    source: request.source,
    requestId: request.requestId,
    correlationId: request.correlationId,
    traceparent: request.traceparent,
    maxAttempts: attempts,
    timeoutMs: timeout,
    delayMs: delay,
    // RFC 3339 allows offsets that PostgreSQL refuses.
    expiresAt: options.expiresAt === undefined ? undefined : new Date(options.expiresAt).toISOString(),
    orderingKey: request.orderingKey && orderingKeyOf(request.orderingKey),
    rejectionKey: body && rejectionKey({ requestKey: request.requestKey, body }),
    queued: room && delay <= FEED_AHEAD_MS,
  };
}

/** A new job as it is handed to Redis for the first time. */
export function firstDispatch(claim: Claim): QueuedJob {
  const { jobId, jobType: type, priority, delayMs } = claim;
  return { jobId, generation: 1, dispatch: 1, type, priority, delayMs };
}

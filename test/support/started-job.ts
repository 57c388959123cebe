import { randomUUID } from 'node:crypto';
import type { StartedJob } from '../../src/jobs/start';

/** A job in its first attempt; what matters to a test is given by it. */
export function startedJob(over: Partial<StartedJob> = {}): StartedJob {
  return {
    jobId: randomUUID(),
    tier: 'money',
    type: 'payment-process',
    idempotencyKey: 'key',
    requestId: 'request',
    source: '/test-service',
    correlationId: undefined,
    traceparent: undefined,
    generation: 1,
    acceptedAt: new Date(0),
    token: randomUUID(),
    dispatch: 1,
    payload: {},
    attempts: 0,
    maxAttempts: 3,
    timeoutMs: 30_000,
    sequence: 0,
    hasOwnKey: false,
    fresh: true,
    cancelRequested: false,
    ordered: false,
    startedAt: new Date(1),
    claim: undefined,
    ...over,
  };
}

import { z } from 'zod';
import { exponentialBackoffMs } from '../platform/time';
import { defineJobType } from './job-type';

const payload = z.strictObject({
  subscriptionId: z.uuid(),
  /** The id of the outcome. */
  eventId: z.uuid(),
});

const result = z.strictObject({
  deliveredAt: z.iso.datetime(),
});

/** The steps add up to 34 hours, of which jitter takes a quarter on average. */
const FIRST_STEP_MS = 60_000;

/** Tells a subscriber of an outcome. Asked for by the service itself, for whoever subscribed. */
export const webhookDeliver = defineJobType({
  name: 'webhook-deliver',
  queue: 'communication',
  priority: 5,
  concurrency: 10,
  timeoutMs: 10_000,
  retry: { attempts: 12, backoffMs: (attempt) => exponentialBackoffMs(attempt, FIRST_STEP_MS) },
  uses: 'internal',
  submittableBy: ['admin'],
  payload,
  result,
  defaultKey: ({ subscriptionId, eventId }) => `callback-${subscriptionId}-${eventId}`,
});

import { z } from 'zod';
import type { Problem } from '../platform/json-problems';
import { timestamp } from './envelope';
import { JOB_TYPE_PATTERN, TIERS, type Tier } from './names';

const THIRTY_DAYS_MS = 30 * 24 * 60 * 60 * 1_000;
const MAX_KEY_BYTES = 255;

/** The caller's own key: printable, and short enough for an index whatever script it is written in. */
export const idempotencyKey = z
  .string()
  .min(1)
  .refine((key) => Buffer.byteLength(key, 'utf8') <= MAX_KEY_BYTES, `is longer than ${MAX_KEY_BYTES} bytes of UTF-8`)
  .refine((key) => !/\p{Cc}/u.test(key), 'contains control characters');

export const jobOptions = z.strictObject({
  /** 10 is the most urgent. */
  priority: z.int().min(1).max(10).optional(),
  /** Milliseconds before the first start. */
  delay: z.int().min(0).max(THIRTY_DAYS_MS).optional(),
  attempts: z.int().min(1).max(10).optional(),
  /** Milliseconds that one attempt may take. */
  timeout: z.int().min(1_000).max(600_000).optional(),
  /** A job that has not started by then ends as failed with the code EXPIRED. */
  expiresAt: timestamp.optional(),
  /** Jobs of one key and source run one after the other, in the order in which they were accepted. Money tier only. */
  orderingKey: idempotencyKey.optional(),
  callbackUrl: z.never('is not offered by this version').optional(),
});

/** `data` of a job request event: one schema, whatever way the request comes in. */
export const jobRequest = z.strictObject({
  queue: z.enum(TIERS).optional(),
  type: z.string().regex(JOB_TYPE_PATTERN, 'is not a job type name'),
  data: z.record(z.string(), z.unknown()),
  idempotencyKey: idempotencyKey.optional(),
  options: jobOptions.optional(),
});

/** What an ordering key does not go together with, by place in the options. `tier` is undefined where it is not known. */
export function orderingProblems(tier: Tier | undefined, options: JobOptions = {}): Problem[] {
  if (options.orderingKey === undefined) return [];
  return [
    ...(tier === undefined || tier === 'money' ? [] : [`is offered for jobs of the money tier only, not of ${tier}`]),
    ...(options.delay === undefined || options.delay === 0 ? [] : ['does not go together with a delay']),
  ].map((message) => ({ path: 'orderingKey', message }));
}

export type JobRequest = z.infer<typeof jobRequest>;
export type JobOptions = z.infer<typeof jobOptions>;

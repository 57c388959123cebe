import { z } from 'zod';
import { timestamp } from '../contract/envelope';
import { canonicalJson } from '../platform/canonical-json';
import { sha256 } from '../platform/ids';
import { defineJobType } from './job-type';

const MAX_PROPERTIES = 100;
/** Ten million in a currency with cents; what is more is a mistake. */
const MAX_AMOUNT = 1_000_000_000;

const payload = z.strictObject({
  /** Such as `ticket.viewed`; dashboards group by it, so it has few values and names no person. */
  eventType: z.string().regex(/^[\w.:-]{1,100}$/, 'is not an event type: 1 to 100 letters, digits and . : _ -'),
  venueId: z.uuid().optional(),
  userId: z.uuid().optional(),
  eventId: z.uuid().optional(),
  /** Whatever belongs to the event. `amount`, in minor units, is summed up. */
  data: z
    .looseObject({ amount: z.int().min(-MAX_AMOUNT).max(MAX_AMOUNT).optional() })
    .refine((data) => Object.keys(data).length <= MAX_PROPERTIES, `has more than ${MAX_PROPERTIES} entries`),
  /** When it happened. Left out, it counts from when it is recorded. */
  timestamp: timestamp.optional(),
});

const result = z.strictObject({ eventType: z.string(), processedAt: z.iso.datetime() });

/** Records that something happened, and counts it. */
export const analyticsTrack = defineJobType({
  name: 'analytics-track',
  queue: 'background',
  priority: 3,
  concurrency: 10,
  timeoutMs: 10_000,
  uses: 'internal',
  submittableBy: ['service', 'admin'],
  payload,
  result,
  // The hash tells two events of one moment apart.
  defaultKey: (event, { time }) =>
    [
      'analytics',
      event.eventType,
      event.venueId ?? 'global',
      event.userId ?? 'anonymous',
      event.timestamp ?? time.toISOString(),
      sha256(canonicalJson(event)).slice(0, 16),
    ].join('-'),
});

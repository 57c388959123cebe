/**
 * What is written down during a sale and the checker reads: what was published, what was answered. Both are files of JSON
 * lines, and all that the two have in common; neither knows anything of the service's inside.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** What a published message is, and how it must end. */
export const KINDS = {
  'order.placed': 'completed',
  'payment-process': 'completed',
  /** After a decline, the same order again with another card. */
  'second card': 'completed',
  'declined card': 'failed',
  /** What the order service says when a payment has completed. */
  'order.paid': 'completed',
  /** Another request for what is done or under way: same key, same content. */
  'same key again': 'duplicate',
  /** The same message once more, as after a lost confirm: nothing more may come of it. */
  'same message again': 'nothing',
  'key conflict': 'rejected',
  'not JSON': 'rejected',
  'schema error': 'rejected',
  'unknown type': 'rejected',
  'wrong routing key': 'rejected',
} as const satisfies Record<string, 'completed' | 'failed' | 'duplicate' | 'rejected' | 'nothing'>;

export type Kind = keyof typeof KINDS;
/** What `KINDS` holds, as a list that zod takes. */
const kindNames = Object.keys(KINDS) as [Kind, ...Kind[]];

/** The jobs that `order.paid` asks for, each with an outcome of its own. */
export const SALE_JOBS = { receipt: 'send-email', record: 'analytics-track' } as const;

/** One line for each message that the broker has confirmed. */
export const publishedRecord = z.strictObject({
  messageId: z.string(),
  /** Null when nobody can read an id in it; such messages are only counted. */
  requestId: z.string().nullable(),
  kind: z.enum(kindNames),
  /** The order that it is about; all requests of one order share its key. Null for what is malformed. */
  order: z.string().nullable(),
  amount: z.int(),
  currency: z.string(),
  /** Of an order that was paid: where its receipt must go, and where it must count. */
  sale: z.strictObject({ email: z.string(), venueId: z.string() }).nullable(),
  /** The error code that a failure or a rejection must have. */
  code: z.string().nullable(),
  /** A place that must be among the problems which a rejection lists. */
  problemAt: z.string().nullable(),
  publishedAt: z.number(),
  confirmedAt: z.number(),
});
export type PublishedRecord = z.infer<typeof publishedRecord>;
/** A message that is yet to be published. */
export type NewRecord = Omit<PublishedRecord, 'publishedAt' | 'confirmedAt'>;

const outcomeEvent = z.object({
  id: z.string(),
  data: z.object({
    jobId: z.string().nullable(),
    type: z.string(),
    outcome: z.enum(['completed', 'failed', 'cancelled', 'attention', 'duplicate', 'rejected']),
    requestId: z.string().nullable(),
    generation: z.number().nullable(),
    result: z.unknown(),
    error: z
      .object({ code: z.string(), details: z.array(z.object({ path: z.string(), message: z.string() })).optional() })
      .nullable(),
  }),
});

/** One line for each delivery from the auditor's queue, repeats included. */
export const outcomeRecord = z.object({ receivedAt: z.number(), event: outcomeEvent });
export type OutcomeRecord = z.infer<typeof outcomeRecord>;
export type OutcomeEvent = OutcomeRecord['event'];

/** The parts of results that are compared with what happened outside. */
export const paymentResult = z.object({ chargeId: z.string(), amount: z.int(), currency: z.string() });
export const mailResult = z.object({ messageId: z.string() });

/** Every line of a file, each of which must be sound. */
export function readLines<Line>(file: string, schema: z.ZodType<Line>): Line[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => schema.parse(JSON.parse(line)));
}

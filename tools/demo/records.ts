/**
 * What the order service writes down and the checker reads: what it published, what it was told. Both are files of JSON
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
  /** The error code that a failure or a rejection must have. */
  code: z.string().nullable(),
  /** A place that must be among the problems which a rejection lists. */
  problemAt: z.string().nullable(),
  publishedAt: z.number(),
  confirmedAt: z.number(),
});
export type PublishedRecord = z.infer<typeof publishedRecord>;

const outcomeEvent = z.object({
  id: z.string(),
  data: z.object({
    jobId: z.string().nullable(),
    outcome: z.enum(['completed', 'failed', 'cancelled', 'attention', 'duplicate', 'rejected']),
    requestId: z.string().nullable(),
    generation: z.number().nullable(),
    result: z.unknown(),
    error: z
      .object({ code: z.string(), details: z.array(z.object({ path: z.string(), message: z.string() })).optional() })
      .nullable(),
  }),
});

/** One line for each delivery from the order service's own queue, repeats included. */
export const outcomeRecord = z.object({ receivedAt: z.number(), event: outcomeEvent });
export type OutcomeRecord = z.infer<typeof outcomeRecord>;
export type OutcomeEvent = OutcomeRecord['event'];

/** The part of a payment's result that its requester compares. */
export const paymentResult = z.object({ chargeId: z.string(), amount: z.int(), currency: z.string() });

/** What the payment provider says that it has charged. */
export const providerLedger = z.object({
  charges: z.array(
    z.object({
      chargeId: z.string(),
      amount: z.int(),
      currency: z.string(),
      metadata: z.record(z.string(), z.string()),
      calls: z.int(),
    }),
  ),
  calls: z.int(),
});
export type ProviderCharge = z.infer<typeof providerLedger>['charges'][number];

/** Every line of a file, each of which must be sound. */
export function readLines<Line>(file: string, schema: z.ZodType<Line>): Line[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => schema.parse(JSON.parse(line)));
}

export async function readLedger(url: string): Promise<z.infer<typeof providerLedger>> {
  const answer = await fetch(new URL('/_sandbox/ledger', url), { signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new Error(`the provider's ledger answers ${answer.status}`);
  return providerLedger.parse(await answer.json());
}

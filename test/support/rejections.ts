import type { Pool } from 'pg';
import { z } from 'zod';
import { requestOutcomeId } from '../../src/contract/outcome';
import { sha256 } from '../../src/platform/ids';
import { eventually, type ReceivedOutcome, type TestBus } from './harness';

const letter = z.object({
  kind: z.string(),
  code: z.string(),
  dedupe_key: z.string(),
  job_id: z.string().nullable(),
  request_key: z.string().nullable(),
  queue_name: z.string(),
  job_type: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })),
  body: z.instanceof(Buffer),
  seen: z.number(),
});

export type DeadLetterRow = z.infer<typeof letter>;

/** What became of a message that was refused: its dead letter, and the answer that went out for it. */
export interface Refusal {
  letter: DeadLetterRow;
  outcome: ReceivedOutcome;
}

/** The dead letters of a message, which is known by its bytes. */
export async function deadLettersOf(pool: Pool, content: string | Buffer): Promise<DeadLetterRow[]> {
  const { rows } = await pool.query(
    `SELECT kind, code, dedupe_key, job_id, request_key, queue_name, job_type, errors, body, seen
     FROM dead_letter_jobs WHERE body_sha256 = $1 AND kind <> 'broker'`,
    [sha256(Buffer.from(content))],
  );
  return z.array(letter).parse(rows);
}

/** Waits until a message is refused and its answer has arrived. */
export async function refusalOf(
  pool: Pool,
  bus: TestBus,
  content: string | Buffer,
  name = '',
  limitMs?: number,
): Promise<Refusal> {
  const found = await eventually(`a dead letter ${name}`, async () => (await deadLettersOf(pool, content))[0], limitMs);
  const id = requestOutcomeId(found.dedupe_key, 'rejected', 'first');
  const outcome = await eventually(`the answer ${name}`, () => bus.outcomes.find((event) => event.id === id));
  return { letter: found, outcome };
}

import { randomUUID } from 'node:crypto';
import type { GetMessage } from 'amqplib';
import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import { EXCHANGES } from '../../src/contract/names';
import { outcomeMessage, type OutcomeData, type OutcomeMessage } from '../../src/contract/outcome';
import type { TestBus } from './harness';

/** Jobs that the service has accepted. */
export async function countJobs(pool: Pool): Promise<number> {
  const { rows } = await pool.query('SELECT count(*)::integer AS n FROM critical_jobs');
  return z.array(z.object({ n: z.number() })).parse(rows)[0]?.n ?? -1;
}

/** What a caller does with `pg`: BEGIN, work, COMMIT. */
export async function inTransaction(pool: Pool, work: (transaction: PoolClient) => Promise<unknown>): Promise<void> {
  const connection = await pool.connect();
  try {
    await connection.query('BEGIN');
    await work(connection);
    await connection.query('COMMIT');
  } catch (error) {
    await connection.query('ROLLBACK');
    throw error;
  } finally {
    connection.release();
  }
}

const outboxRow = z.object({
  id: z.string(),
  published: z.boolean(),
  parked: z.boolean(),
  last_error: z.string().nullable(),
});

/** A caller's outbox in the order in which it was written. */
export async function readOutbox(pool: Pool, table: string): Promise<z.infer<typeof outboxRow>[]> {
  const { rows } = await pool.query(
    `SELECT id, published_at IS NOT NULL AS published, parked_at IS NOT NULL AS parked, last_error
     FROM ${table} ORDER BY seq`,
  );
  return z.array(outboxRow).parse(rows);
}

/** An outcome as the service would write it; a completed canary unless told otherwise. */
export function writtenOutcome(id: string, data: Partial<OutcomeData> = {}): OutcomeMessage {
  const time = new Date();
  return outcomeMessage(
    id,
    {
      jobId: randomUUID(),
      queue: 'money',
      type: 'canary-money',
      outcome: 'completed',
      requestId: randomUUID(),
      correlationId: null,
      idempotencyKey: null,
      generation: 1,
      sequence: 1,
      attempts: 1,
      result: { n: 1 },
      error: null,
      acceptedAt: time.toISOString(),
      startedAt: time.toISOString(),
      finishedAt: time.toISOString(),
      ...data,
    },
    { source: undefined, traceparent: undefined, time },
  );
}

/** Publishes an outcome; @returns its id */
export async function publishOutcome(
  bus: TestBus,
  routingKey: string,
  { id = randomUUID(), data }: { id?: string; data?: Partial<OutcomeData> },
): Promise<string> {
  await bus.publish(EXCHANGES.outcomes, routingKey, writtenOutcome(id, data).body, { messageId: id });
  return id;
}

/** Everything that waits in a queue, taken out of it. */
export async function takeMessages(bus: TestBus, queue: string): Promise<GetMessage[]> {
  const messages: GetMessage[] = [];
  for (;;) {
    const message = await bus.channel.get(queue, { noAck: true });
    if (!message) return messages;
    messages.push(message);
  }
}

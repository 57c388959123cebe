import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import type { DomainEventData } from '../../src/client';

/** Sound data of `order.placed`, as the compiler knows it. */
export function placedOrder(over: Partial<DomainEventData<'order.placed'>> = {}): DomainEventData<'order.placed'> {
  return {
    orderId: randomUUID(),
    userId: randomUUID(),
    venueId: randomUUID(),
    eventId: randomUUID(),
    amount: 10_000,
    currency: 'USD',
    paymentMethod: 'pm_card_visa',
    email: 'guest@example.com',
    tickets: [{ ticketId: randomUUID(), seatId: 'A-1' }],
    ...over,
  };
}

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

import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { z } from 'zod';
import { eventually, type TestBus } from './harness';

/** Publishes `count` requests that touch nothing outside; resolves when the broker has confirmed all. */
export function requestCanaries(
  bus: TestBus,
  count: number,
  options: (n: number) => Record<string, unknown> = () => ({}),
): Promise<string[]> {
  const note = randomUUID();
  return Promise.all(
    Array.from({ length: count }, (_, n) =>
      bus.request({ type: 'canary-money', data: { n, note }, options: options(n) }),
    ),
  );
}

const jobCounts = z.array(z.object({ status: z.string(), n: z.number() }));

/** How many jobs are in which state. */
export async function jobsByStatus(pool: Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query('SELECT status, count(*)::integer AS n FROM critical_jobs GROUP BY 1');
  return Object.fromEntries(jobCounts.parse(rows).map(({ status, n }) => [status, n]));
}

export function untilClaimed(pool: Pool, count: number): Promise<unknown> {
  return eventually(`${count} requests are jobs`, async () => {
    const counts = await jobsByStatus(pool);
    return Object.values(counts).reduce((sum, n) => sum + n, 0) === count;
  });
}

export function untilCompleted(pool: Pool, count: number, limitMs?: number): Promise<unknown> {
  return eventually(
    `${count} jobs are completed`,
    async () => (await jobsByStatus(pool))['completed'] === count,
    limitMs,
  );
}

const outcomeCounts = z.array(z.object({ outcomes: z.number(), jobs: z.number() }));

/** How many jobs have how many terminal outcomes; all is well when each has one. */
export async function jobsByTerminalOutcomes(pool: Pool): Promise<Record<number, number>> {
  const { rows } = await pool.query(`
    SELECT outcomes, count(*)::integer AS jobs FROM (
      SELECT count(o.id)::integer AS outcomes FROM critical_jobs j
      LEFT JOIN outbox_events o ON o.ordering_key = j.id AND o.routing_key ~ '\\.(completed|failed|cancelled)$'
      GROUP BY j.id
    ) AS counted GROUP BY outcomes`);
  return Object.fromEntries(outcomeCounts.parse(rows).map(({ outcomes, jobs }) => [outcomes, jobs]));
}

/** Jobs that the money queue holds in Redis and that are not finished. */
export async function heldByRedis(redis: Redis, queuePrefix: string): Promise<number> {
  const key = (name: string): string => `${queuePrefix}:{money}:money-queue:${name}`;
  const counts = await Promise.all([
    redis.llen(key('wait')),
    redis.llen(key('active')),
    redis.zcard(key('prioritized')),
    redis.zcard(key('delayed')),
  ]);
  return counts.reduce((sum, count) => sum + count, 0);
}

/** PostgreSQL remembers a mark only after a whole pass; what Redis loses from then on is noticed as a loss. */
export function untilCaughtUp(pool: Pool): Promise<unknown> {
  return eventually('a mark is remembered', async () => {
    const { rows } = await pool.query(`SELECT FROM queue_markers WHERE queue_name = 'money-queue'`);
    return rows.length > 0;
  });
}

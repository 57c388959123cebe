import type { Pool } from 'pg';
import { z } from 'zod';
import { uuidV7 } from '../../src/platform/ids';
import type { AnalyticsEvent } from '../../src/providers/analytics-store/store';

const counted = z.object({ events: z.coerce.number(), amounts: z.coerce.number(), amount_sum: z.coerce.number() });
const rollup = counted.extend({
  venue: z.string(),
  event_type: z.string(),
  granularity: z.string(),
  start: z.string(),
});

export type Rollup = z.infer<typeof rollup>;

/** An event that happened somewhere, to nobody. */
export function happening(over: Partial<AnalyticsEvent> = {}): AnalyticsEvent {
  return {
    id: uuidV7(),
    eventType: 'ticket.viewed',
    occurredAt: '2026-01-15T10:00:30Z',
    properties: { source: 'search' },
    ...over,
  };
}

/** What was counted, in the order of periods: the time that each row begins at, in UTC. */
export async function rollups(pool: Pool, granularity?: 'minute' | 'day'): Promise<Rollup[]> {
  const { rows } = await pool.query(
    `SELECT venue, event_type, granularity, events, amounts, amount_sum,
       to_char(period_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS start
     FROM analytics_rollups WHERE granularity = coalesce($1, granularity) ORDER BY period_start, venue, event_type`,
    [granularity ?? null],
  );
  return z.array(rollup).parse(rows);
}

export async function eventIds(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query('SELECT id FROM analytics_events ORDER BY id');
  return z
    .array(z.object({ id: z.string() }))
    .parse(rows)
    .map(({ id }) => id);
}

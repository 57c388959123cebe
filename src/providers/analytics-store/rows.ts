import { uuidV7Floor } from '../../platform/ids';
import type { Queryable } from '../../platform/postgres/database';

export interface AnalyticsEvent {
  /** The job's id: the same event has the same id, however often it is recorded. */
  id: string;
  eventType: string;
  venueId?: string | undefined;
  userId?: string | undefined;
  eventId?: string | undefined;
  /** RFC 3339; left out, it is the moment at which it is first recorded. */
  occurredAt?: string | undefined;
  /** Minor units. */
  amount?: number | undefined;
  properties: Record<string, unknown>;
}

/** Writes what is new of the events, and raises the minute and the day of each such event, however long they are past. */
export async function insertEvents(database: Queryable, events: AnalyticsEvent[]): Promise<void> {
  await database.query(INSERT, [
    events.map((event) => event.id),
    events.map((event) => event.eventType),
    events.map((event) => event.venueId ?? null),
    events.map((event) => event.userId ?? null),
    events.map((event) => event.eventId ?? null),
    events.map((event) => event.occurredAt ?? null),
    events.map((event) => event.amount ?? null),
    events.map((event) => JSON.stringify(event.properties)),
  ]);
}

/**
 * Deletes up to `limit` events that were asked for before that moment, whenever they happened; answers with their number.
 * What was counted of them stays. Their ids are UUIDv7, so that they lie together at the beginning of the index.
 */
export async function deleteEvents(database: Queryable, before: Date, limit: number): Promise<number> {
  const rows = await database.query(
    {
      text: `
        DELETE FROM analytics_events WHERE id IN (
          SELECT id FROM analytics_events WHERE id < $1::uuid ORDER BY id LIMIT $2
        ) RETURNING id`,
    },
    [uuidV7Floor(before.getTime()), limit],
  );
  return rows.length;
}

/**
 * Two processes may write the same events, and always raise the same rows. Both orders are fixed, and the rollups are
 * aggregated, so sorted, only when every event is in: whoever waits for a rollup row holds no event that its holder waits
 * for.
 */
const INSERT = {
  name: 'analytics-record',
  text: `
    WITH recorded AS (
      INSERT INTO analytics_events (id, event_type, venue_id, user_id, event_id, occurred_at, amount, properties)
      SELECT id, event_type, venue_id, user_id, event_id, coalesce(occurred_at, now()), amount, properties::jsonb
      FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::timestamptz[], $7::bigint[], $8::text[])
        AS event (id, event_type, venue_id, user_id, event_id, occurred_at, amount, properties)
      ORDER BY id
      ON CONFLICT (id) DO NOTHING
      RETURNING event_type, venue_id, occurred_at, amount
    )
    INSERT INTO analytics_rollups AS r
      (venue, granularity, event_type, period_start, events, amounts, amount_sum)
    SELECT coalesce(venue_id::text, 'global') AS venue, granularity, event_type,
      date_trunc(granularity, occurred_at, 'UTC') AS period_start, count(*), count(amount), coalesce(sum(amount), 0)
    FROM recorded CROSS JOIN (VALUES ('minute'), ('day')) AS period (granularity)
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (venue, granularity, event_type, period_start) DO UPDATE
      SET events = r.events + EXCLUDED.events,
          amounts = r.amounts + EXCLUDED.amounts,
          amount_sum = r.amount_sum + EXCLUDED.amount_sum,
          updated_at = now()`,
};

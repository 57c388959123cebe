import type { LimiterName } from '../catalogue/limiters';
import type { Queryable } from '../platform/postgres/database';
import type { LimitInForce, LimiterStatus } from './store';

export interface LimiterReading {
  name: LimiterName;
  limit: LimitInForce;
  status: LimiterStatus;
}

/** Keeps what limiters looked like now. */
export async function keepReadings(database: Queryable, readings: LimiterReading[]): Promise<void> {
  await database.query(
    {
      text: `
        INSERT INTO rate_limit_metrics (service_name, tokens_available, concurrent_requests, max_concurrent, waiting_jobs)
        SELECT * FROM unnest($1::text[], $2::integer[], $3::integer[], $4::integer[], $5::integer[])`,
    },
    [
      readings.map(({ name }) => name),
      readings.map(({ status }) => status.tokens),
      readings.map(({ status }) => status.inFlight),
      readings.map(({ limit }) => limit.concurrent),
      readings.map(({ status }) => status.waiting),
    ],
  );
}

/** Answers with how many were deleted, up to `limit`. */
export async function deleteReadings(database: Queryable, before: Date, limit: number): Promise<number> {
  const rows = await database.query(
    {
      text: `
        DELETE FROM rate_limit_metrics WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM rate_limit_metrics WHERE captured_at < $1 ORDER BY captured_at LIMIT $2
        )) RETURNING 1`,
    },
    [before, limit],
  );
  return rows.length;
}

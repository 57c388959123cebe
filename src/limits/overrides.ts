import type { Limit, LimiterName } from '../catalogue/limiters';
import type { Queryable } from '../platform/postgres/database';

/** Stands for all limiters where one is named. */
export const EVERY_LIMITER = '*';
export type LimiterOrEvery = LimiterName | typeof EVERY_LIMITER;

/** What an operator has set for a limiter; whatever is undefined is as configured. */
export interface Override extends Partial<Limit> {
  name: string;
  stopped: boolean;
}

/** Who changes something, and why. */
export interface Change {
  by: string;
  reason: string;
}

interface OverrideRow {
  name: string;
  per_second: number | null;
  max_concurrent: number | null;
  burst_size: number | null;
  cooldown_ms: number | null;
  stopped: boolean;
}

export async function readOverrides(database: Queryable): Promise<Override[]> {
  const rows = await database.query<OverrideRow>({
    name: 'limits-overrides',
    text: 'SELECT name, per_second, max_concurrent, burst_size, cooldown_ms, stopped FROM rate_limit_overrides',
  });
  return rows.map((row) => ({
    name: row.name,
    stopped: row.stopped,
    ...(row.per_second === null ? {} : { perSecond: row.per_second }),
    ...(row.max_concurrent === null ? {} : { concurrent: row.max_concurrent }),
    ...(row.burst_size === null ? {} : { burst: row.burst_size }),
    ...(row.cooldown_ms === null ? {} : { cooldownMs: row.cooldown_ms }),
  }));
}

/** Replaces what was set before; whatever is left out is as configured again. A limiter that was stopped stays so. */
export async function setLimit(
  database: Queryable,
  name: LimiterName,
  { perSecond, concurrent, burst, cooldownMs }: Partial<Limit>,
  { by, reason }: Change,
): Promise<void> {
  const values = [name, perSecond ?? null, concurrent ?? null, burst ?? null, cooldownMs ?? null, by, reason];
  await database.query({ text: SET }, values);
}

/** Lets nothing pass: through one limiter, or through any. */
export async function stopLimiter(database: Queryable, name: LimiterOrEvery, { by, reason }: Change): Promise<void> {
  await database.query({ text: STOP }, [name, by, reason]);
}

/** Takes a stop back: that of one limiter, or every one there is. */
export async function resumeLimiter(database: Queryable, name: LimiterOrEvery, { by, reason }: Change): Promise<void> {
  await database.query({ text: RESUME }, [name === EVERY_LIMITER ? null : name, by, reason]);
}

const CHANGED = 'changed_by = EXCLUDED.changed_by, reason = EXCLUDED.reason, changed_at = now()';

const SET = `
  INSERT INTO rate_limit_overrides (name, per_second, max_concurrent, burst_size, cooldown_ms, changed_by, reason)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (name) DO UPDATE SET per_second = EXCLUDED.per_second, max_concurrent = EXCLUDED.max_concurrent,
    burst_size = EXCLUDED.burst_size, cooldown_ms = EXCLUDED.cooldown_ms, ${CHANGED}`;

const STOP = `
  INSERT INTO rate_limit_overrides (name, stopped, changed_by, reason) VALUES ($1, true, $2, $3)
  ON CONFLICT (name) DO UPDATE SET stopped = true, ${CHANGED}`;

const RESUME = `
  UPDATE rate_limit_overrides SET stopped = false, changed_by = $2, reason = $3, changed_at = now()
  WHERE stopped AND name = COALESCE($1, name)`;

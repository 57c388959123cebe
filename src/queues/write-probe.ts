import type { Redis } from 'ioredis';
import { describeError } from '../platform/logger';

/** Long enough to be of no use, short enough to be nobody's business. */
const PROBE_LIFE_MS = 60_000;

/** Why a Redis that is connected takes no writes, in its own words; undefined when it does. */
export async function refusalOfWrites(redis: Redis, prefix: string): Promise<string | undefined> {
  try {
    await redis.set(`${prefix}:probe`, '', 'PX', PROBE_LIFE_MS);
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

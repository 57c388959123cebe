import type { Redis } from 'ioredis';

/** What a Redis says about itself and about the mark that was left in it. */
export interface RedisMemory {
  /** Undefined when the mark is gone: Redis was emptied, or is a new one. */
  marker: number | undefined;
  incarnation: string;
}

/** Reads the mark of a queue, and which run of the server answers. */
export async function readMemory(redis: Redis, prefix: string): Promise<RedisMemory> {
  const [marker, info] = await Promise.all([redis.get(markerKey(prefix)), redis.info('server')]);
  return {
    marker: marker === null ? undefined : Number(marker),
    incarnation: /^run_id:(\w+)/m.exec(info)?.[1] ?? 'unknown',
  };
}

/** Replaces the mark that was found (undefined: none); false when another one stands there by now. */
export async function leaveMarker(
  redis: Redis,
  prefix: string,
  found: number | undefined,
  marker: number,
): Promise<boolean> {
  const expected = found === undefined ? '' : String(found);
  return (await redis.eval(REPLACE, 1, markerKey(prefix), expected, String(marker))) === 1;
}

const REPLACE = `
  if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
  redis.call('SET', KEYS[1], ARGV[2])
  return 1`;

function markerKey(prefix: string): string {
  return `${prefix}:marker`;
}

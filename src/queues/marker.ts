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

export async function leaveMarker(redis: Redis, prefix: string, marker: number): Promise<void> {
  await redis.set(markerKey(prefix), String(marker));
}

function markerKey(prefix: string): string {
  return `${prefix}:marker`;
}

import { Redis } from 'ioredis';

/** One command, as Redis counted it; those inside scripts count by themselves as well. */
export interface CommandShare {
  command: string;
  calls: number;
  ms: number;
}

export async function resetCommands(url: string): Promise<void> {
  await withRedis(url, (redis) => redis.config('RESETSTAT'));
}

/** Most expensive first. */
export async function readCommands(url: string): Promise<CommandShare[]> {
  const info = await withRedis(url, (redis) => redis.info('commandstats'));
  return [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+),usec=(\d+)/gm)]
    .map(([, command = '', calls, microseconds]) => ({
      command,
      calls: Number(calls),
      ms: Number(microseconds) / 1_000,
    }))
    .toSorted((one, other) => other.ms - one.ms);
}

async function withRedis<Value>(url: string, work: (redis: Redis) => Promise<Value>): Promise<Value> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

import { Redis } from 'ioredis';
import { within } from './time';
import { coalesceWrites } from './coalesce-writes';
import type { Logger } from './logger';
import { describeError } from './logger';

/** A command without any answer for so long means a line that is dead without saying so: it is replaced. */
const SILENCE_MS = 5_000;

/**
 * A connection that fails fast: commands reject when Redis is away instead of waiting in a queue without bounds.
 * (BullMQ workers open their own blocking connections, see queues/.)
 */
export function connectRedis(url: string, log: Logger, commandTimeoutMs = 5_000): Redis {
  const redis = new Redis(url, {
    lazyConnect: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: null,
    commandTimeout: commandTimeoutMs,
    socketTimeout: SILENCE_MS,
    retryStrategy: (times) => Math.min(1_000, times * 50),
  });
  redis.on('connect', () => coalesceWrites(redis.stream));
  redis.on('error', (error: Error) => log.warn('redis connection error', { error: describeError(error) }));
  return redis;
}

/** Resolves when the first connection stands; rejects when it does not within `timeoutMs`, and goes on trying. */
export async function untilReady(redis: Redis, timeoutMs: number): Promise<void> {
  if (redis.status === 'ready') return;
  await within(timeoutMs, 'connecting to Redis', new Promise<void>((resolve) => redis.once('ready', () => resolve())));
}

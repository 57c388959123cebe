import type { LowerTier } from '../contract/names';
import { exponentialBackoffMs } from '../platform/time';

/** What a queue gives to its jobs where their type or request says nothing else. */
export interface QueuePolicy {
  /** The queue's name in BullMQ and in the tables. */
  queueName: string;
  attempts: number;
  /** Milliseconds before the try after `attempt` (1 = the first) failed. */
  backoffMs: (attempt: number) => number;
  /** Finished jobs that stay visible in BullMQ. */
  keepInRedis: number;
}

interface LowerQueuePolicy extends QueuePolicy {
  /** Milliseconds that a finished job is remembered and its key held. */
  keepMs: number;
}

const MONEY_BACKOFF_BASE_MS = 2_000;

const DAY_MS = 24 * 60 * 60 * 1_000;

export const QUEUE_POLICIES = {
  money: {
    queueName: 'money-queue',
    attempts: 10,
    backoffMs: (attempt) => exponentialBackoffMs(attempt, MONEY_BACKOFF_BASE_MS),
    keepInRedis: 0,
  },
  communication: {
    queueName: 'communication-queue',
    attempts: 3,
    backoffMs: () => 5_000,
    keepMs: 7 * DAY_MS,
    keepInRedis: 100,
  },
  background: {
    queueName: 'background-queue',
    attempts: 2,
    backoffMs: () => 10_000,
    keepMs: DAY_MS,
    keepInRedis: 0,
  },
} as const satisfies { money: QueuePolicy } & Record<LowerTier, LowerQueuePolicy>;

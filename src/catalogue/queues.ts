import type { LowerTier } from '../contract/names';
import { exponentialBackoffMs } from '../platform/time';
import type { JobType, RetryRule } from './job-type';

/** What a queue gives to its jobs where their type or request says nothing else. */
export interface QueuePolicy extends RetryRule {
  /** The queue's name in BullMQ and in the tables. */
  queueName: string;
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

/** The type's own rule, else its queue's. */
export function retryRuleOf({ retry, queue }: Pick<JobType, 'retry' | 'queue'>): RetryRule {
  return retry ?? QUEUE_POLICIES[queue];
}

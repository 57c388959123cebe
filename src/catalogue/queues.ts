import type { Tier } from '../contract/names';
import { exponentialBackoffMs } from '../platform/time';

/** What a queue gives to its jobs where their type or request says nothing else. */
export interface QueuePolicy {
  /** The queue's name in BullMQ and in the tables. */
  queueName: string;
  attempts: number;
  /** Milliseconds before the try after `attempt` (1 = the first) failed. */
  backoffMs: (attempt: number) => number;
}

const MONEY_BACKOFF_BASE_MS = 2_000;

export const QUEUE_POLICIES = {
  money: {
    queueName: 'money-queue',
    attempts: 10,
    backoffMs: (attempt) => exponentialBackoffMs(attempt, MONEY_BACKOFF_BASE_MS),
  },
  communication: { queueName: 'communication-queue', attempts: 3, backoffMs: () => 5_000 },
  background: { queueName: 'background-queue', attempts: 2, backoffMs: () => 10_000 },
} as const satisfies Record<Tier, QueuePolicy>;

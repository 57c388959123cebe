import type { QueueMarker } from '../jobs/markers';
import type { Book } from '../jobs/volatile/books';
import type { Logger } from '../platform/logger';
import type { Metrics } from '../platform/metrics';
import type { RedisMemory } from '../queues/marker';
import { whatWasForgotten } from './forgetting';

export interface TierWatchSteps {
  isLeader: () => boolean;
  readMemory: () => Promise<RedisMemory>;
  /** Replaces the mark that was found; false when it is not there any more. */
  leaveMarker: (found: number | undefined, marker: number) => Promise<boolean>;
  readMarker: () => Promise<QueueMarker | undefined>;
  writeMarker: (marker: QueueMarker) => Promise<void>;
  /** What this Redis has counted of the jobs that came in. */
  readBooks: () => Promise<Book[]>;
  noteAccepted: (books: Book[]) => Promise<void>;
  closeBooks: (books: Book[]) => Promise<void>;
  readCounts: () => Promise<{ accepted: number; ended: number }>;
  /** Jobs that the queue holds and that have not ended. */
  size: () => Promise<number>;
}

export function tierWatchMetrics(metrics: Metrics) {
  return {
    forgot: metrics.counter('tier_redis_forgot_total', 'Times that the Redis of a lower tier lost what it held', [
      'queue_name',
      'reason',
    ]),
    unaccounted: metrics.gauge(
      'jobs_unaccounted',
      'Jobs of a lower tier that came in, did not end and are not open: lost with their Redis',
      ['queue_name'],
    ),
  };
}

/**
 * Watches the Redis of a lower tier. What it loses cannot be brought back, but it is noticed and counted: a mark that is
 * missing or behind tells that it forgot, and the books (came in, ended, still open) tell how many jobs.
 */
export async function watchTier(
  steps: TierWatchSteps,
  queueName: string,
  metrics: ReturnType<typeof tierWatchMetrics>,
  log: Logger,
): Promise<void> {
  if (!steps.isLeader()) return;
  const [memory, known] = [await steps.readMemory(), await steps.readMarker()];
  const reason = known && whatWasForgotten(memory, known);
  // A server that was only restarted, and holds its mark, has kept what it had.
  if (reason === 'emptied' || reason === 'went_back') {
    metrics.forgot.inc({ queue_name: queueName, reason });
    log.error('the Redis of a lower tier forgot its jobs', { queue: queueName, reason });
  }
  const marker = Math.max(memory.marker ?? 0, known?.marker ?? 0) + 1;
  if (await steps.leaveMarker(memory.marker, marker)) {
    await steps.writeMarker({ marker, incarnation: memory.incarnation });
  }
  // For those who died before they could tell.
  const books = await steps.readBooks();
  await steps.noteAccepted(books);
  await steps.closeBooks(books);
  const { accepted, ended } = await steps.readCounts();
  metrics.unaccounted.set({ queue_name: queueName }, accepted - ended - (await steps.size()));
}

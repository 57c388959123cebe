import type { QueueMarker } from '../jobs/markers';
import type { RedisMemory } from '../queues/marker';

/** How a Redis came to know less than it did. */
export type Forgetting = 'emptied' | 'went_back' | 'restarted';

/** Compares the mark that a Redis holds with the one that PostgreSQL remembers of it. */
export function whatWasForgotten(memory: RedisMemory, known: QueueMarker | undefined): Forgetting | undefined {
  if (memory.marker === undefined) return 'emptied';
  if (known && memory.marker < known.marker) return 'went_back';
  if (known && memory.incarnation !== known.incarnation) return 'restarted';
  return undefined;
}

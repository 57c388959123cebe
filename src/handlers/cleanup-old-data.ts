import { cleanupOldData, type DataType } from '../catalogue/cleanup-old-data';
import type { OldDataSource } from '../providers/old-data/source';
import { defineHandler } from './handler';
import { done, failed } from './outcome';

/** What is younger may be in use. */
const YOUNGEST_MS = 60 * 60 * 1_000;
/** A sweep that was stopped goes on soon. */
const GO_ON_MS = 1_000;

/** What there is to clean up, as far as it is configured. */
export type OldData = Partial<Record<DataType, OldDataSource>>;

/** Takes old data away. What is gone is gone, however often the job runs: it needs no entry in the ledger of effects. */
export function cleanupOldDataHandler(sources: OldData) {
  return defineHandler(cleanupOldData, async ({ dataType, olderThan, dryRun = false }, context) => {
    const source = sources[dataType];
    if (!source) return failed('NOT_CONFIGURED', 'this worker is not told where such data is', { replayable: true });
    const before = new Date(olderThan);
    if (before.getTime() > Date.now() - YOUNGEST_MS)
      return failed('TOO_RECENT', 'what is younger than an hour may be in use', { replayable: true });
    const swept = await source.sweep(before, { dryRun, signal: context.signal });
    if (swept.kind === 'unavailable') return { kind: 'retry', code: 'SOURCE_UNAVAILABLE', message: swept.message };
    const { found, deleted, failed: kept } = swept;
    if (swept.kind === 'swept')
      return done({ dataType, dryRun, found, deleted, failed: kept, processedAt: new Date().toISOString() });
    // Stopped by a deploy, or by its time: it goes on from there, unless it gets nowhere.
    return deleted > 0
      ? { kind: 'snooze', code: 'UNFINISHED', afterMs: GO_ON_MS }
      : { kind: 'retry', code: 'UNFINISHED', message: 'stopped before anything was removed' };
  });
}

import { analyticsTrack } from '../catalogue/analytics-track';
import type { AnalyticsStore } from '../providers/analytics-store/store';
import { defineHandler } from './handler';
import { done, failed } from './outcome';

const STORE_AWAY_MS = 5_000;

/** Records an event under the job's id: done twice it is there once, so it needs no entry in the ledger of effects. */
export function analyticsTrackHandler(store: AnalyticsStore) {
  return defineHandler(analyticsTrack, async (payload, context) => {
    const { timestamp, data, ...event } = payload;
    const answer = await store.record({
      id: context.jobId,
      ...event,
      occurredAt: timestamp,
      amount: data.amount,
      properties: data,
    });
    if (answer.kind === 'done') return done({ eventType: payload.eventType, processedAt: new Date().toISOString() });
    if (answer.kind === 'declined') return failed(answer.code, answer.message, { replayable: false });
    // The store being away is no failure of this job.
    return { kind: 'snooze', code: answer.code, afterMs: STORE_AWAY_MS };
  });
}

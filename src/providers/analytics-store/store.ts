/**
 * Where `analytics-track` jobs leave their events: PostgreSQL. Events that are recorded at the same moment share one
 * statement, which writes them and raises their minutes and days; it does both or nothing.
 *
 * An event is known by its id, the job's: recorded again, it changes nothing. So nobody needs to know what became of a
 * statement whose answer was lost: it is simply asked again.
 */
import { Batcher } from '../../platform/batcher';
import type { Queryable } from '../../platform/postgres/database';
import { isUnavailable } from '../../platform/postgres/errors';
import { within } from '../../platform/time';
import type { ProviderAnswer } from '../answer';
import { answerFromError } from './errors';
import { insertEvents, type AnalyticsEvent } from './rows';

export type { AnalyticsEvent } from './rows';

export interface AnalyticsStore {
  record(event: AnalyticsEvent): Promise<ProviderAnswer<undefined>>;
}

/** Shorter than an attempt of the job, so that it ends with an answer. */
const RECORD_TIMEOUT_MS = 8_000;

export function createAnalyticsStore(database: Queryable): AnalyticsStore {
  const batcher = new Batcher<AnalyticsEvent, ProviderAnswer<undefined>>((events) => record(database, events));
  return {
    record: (event) =>
      within(RECORD_TIMEOUT_MS, 'recording an analytics event', batcher.submit(event)).catch(answerFromError),
  };
}

async function record(database: Queryable, events: AnalyticsEvent[]): Promise<ProviderAnswer<undefined>[]> {
  try {
    await insertEvents(database, events);
    return events.map(({ id }) => ({ kind: 'done', value: undefined, reference: id }));
  } catch (error) {
    const alone = events.length === 1;
    // One event may be refused for what it holds: that is no reason to refuse its neighbours.
    if (alone || isUnavailable(error)) return events.map(() => answerFromError(error));
    const answers: ProviderAnswer<undefined>[] = [];
    for (const event of events) answers.push(...(await record(database, [event])));
    return answers;
  }
}

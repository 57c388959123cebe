/** Was every paid order recorded, and counted once? */
import type { Asked, Disagreement, Facts } from './facts';
import { groupBy } from './group';
import { SALE_JOBS } from '../records';

const GRANULARITIES = ['minute', 'day'];

export function checkAnalytics(facts: Facts): Disagreement[] {
  const jobs = new Set([...facts.paid.values()].map((paid) => facts.saleJob(paid, SALE_JOBS.record)?.jobId));
  const strangers = facts.evidence.analytics.recorded.filter(({ id }) => !jobs.has(id));
  return [
    ...[...facts.paid.values()].flatMap((paid) => checkRecorded(facts, paid)),
    ...strangers.map(({ id }) => ({ what: 'a record of a sale that nobody told of', id, detail: 'no job has its id' })),
    ...checkCounts(facts),
  ];
}

function checkRecorded(facts: Facts, paid: Asked): Disagreement[] {
  const { messageId, amount, sale } = paid.record;
  const jobId = facts.saleJob(paid, SALE_JOBS.record)?.jobId;
  if (jobId === undefined) return [];
  const recorded = facts.evidence.analytics.recorded.find(({ id }) => id === jobId);
  if (!recorded) return [{ what: 'completed, but not recorded', id: messageId, detail: `job ${jobId}` }];
  if (recorded.amount === amount && recorded.venueId === sale?.venueId) return [];
  const detail = `${recorded.amount} at ${recorded.venueId}, not ${amount} at ${sale?.venueId}`;
  return [{ what: 'a wrong record of a sale', id: messageId, detail }];
}

/** The sums of each venue: minutes and days are written at different places, and each may have counted a sale twice. */
function checkCounts(facts: Facts): Disagreement[] {
  const told = groupBy([...facts.paid.values()], ({ record }) => record.sale?.venueId ?? '');
  const counted = groupBy(facts.evidence.analytics.counted, ({ venue }) => venue);
  const venues = new Set([...told.keys(), ...counted.keys()]);
  return [...venues].flatMap((venue) => {
    const sales = told.get(venue) ?? [];
    const asTold = `${sales.length} over ${sales.reduce((sum, { record }) => sum + record.amount, 0)}`;
    return GRANULARITIES.flatMap((granularity) => {
      const count = counted.get(venue)?.find((row) => row.granularity === granularity);
      const asCounted = `${count?.events ?? 0} over ${count?.amount ?? 0}`;
      if (asCounted === asTold) return [];
      return [{ what: 'sales counted wrongly', id: venue, detail: `${asCounted} by ${granularity}, not ${asTold}` }];
    });
  });
}

/** Did money move exactly where somebody was told that it did? */
import type { Asked, Disagreement, Facts } from './facts';
import { groupBy } from './group';
import type { ProviderCharge } from './ledgers';
import { paymentResult, type OutcomeEvent } from '../records';

export function checkCharges(facts: Facts): Disagreement[] {
  const byJob = groupBy(facts.evidence.charges, jobOf);
  const completed = [...facts.requests.values()].flatMap((asked) =>
    facts.completed(asked).map((event) => ({ asked, event })),
  );
  return [
    ...completed.flatMap(({ asked, event }) => checkCompleted(asked, event, byJob.get(event.data.jobId ?? '') ?? [])),
    ...checkUntold(facts),
    ...checkOrders(facts),
  ];
}

export function jobOf(charge: ProviderCharge): string {
  return charge.metadata['job_id'] ?? '';
}

/** A completed payment is one charge, of what was asked for, and the one that its outcome names. */
function checkCompleted({ record }: Asked, event: OutcomeEvent, charges: ProviderCharge[]): Disagreement[] {
  const found = (what: string, detail: string): Disagreement[] => [{ what, id: record.messageId, detail }];
  const job = `job ${event.data.jobId}`;
  const [charge, ...more] = charges;
  if (!charge) return found('completed, but not charged', job);
  if (more.length > 0) return found('charged more than once', `${job}: ${charges.map(show).join(', ')}`);
  const result = paymentResult.safeParse(event.data.result);
  if (result.data?.chargeId !== charge.chargeId) return found('the outcome names another charge', show(charge));
  const asked = `${record.amount} ${record.currency}`;
  const isRight = [charge, result.data].every(
    ({ amount, currency }) => amount === record.amount && currency.toUpperCase() === record.currency,
  );
  return isRight ? [] : found('wrong amount', `${show(charge)}, outcome ${result.data.amount}, asked for ${asked}`);
}

/** A charge that no completed outcome tells of: of a job that failed, or of none that anybody heard of. */
function checkUntold(facts: Facts): Disagreement[] {
  const ends = new Map<string | null, OutcomeEvent['data']>();
  for (const { data } of facts.outcomes) {
    if (data.outcome === 'completed' || (data.outcome === 'failed' && !ends.has(data.jobId)))
      ends.set(data.jobId, data);
  }
  return facts.evidence.charges.flatMap((charge) => {
    const end = ends.get(jobOf(charge));
    if (end?.outcome === 'completed') return [];
    if (end) return [{ what: 'declined, but charged', id: end.requestId ?? charge.chargeId, detail: show(charge) }];
    return [{ what: 'charged without a completed outcome', id: charge.chargeId, detail: show(charge) }];
  });
}

/** Several jobs for one order, each with its own charge, would each look right alone. */
function checkOrders(facts: Facts): Disagreement[] {
  return [...facts.orders.keys()].flatMap((order) => {
    const jobs = facts.jobsOf(order);
    const charges = facts.evidence.charges.filter((charge) => jobs.has(jobOf(charge)));
    if (charges.length <= 1) return [];
    return [{ what: 'an order charged more than once', id: order, detail: charges.map(show).join(', ') }];
  });
}

function show({ chargeId, amount, currency, metadata }: ProviderCharge): string {
  return `${chargeId} over ${amount} ${currency.toUpperCase()} (job ${metadata['job_id'] ?? 'unknown'})`;
}

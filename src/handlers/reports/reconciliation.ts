import { z } from 'zod';
import { Money } from './amounts';
import { dayOf, type Report, type ReportRow } from './report';
import type { MoneyEffect, MoneyJob } from './source';

const money = z.object({
  amount: z.int().optional(),
  currency: z.string().optional(),
  alreadyRefunded: z.boolean().optional(),
});
type Told = z.infer<typeof money>;
/** A payment or a refund has one effect; a payout is told by its second one, and its amount by the first. */
const DECISIVE = ['charge', 'refund', 'payout'];

/** Every money job: what was asked, what the ledger has of its provider, and what its outcome says. */
export const reconciliationReport: Report = {
  title: 'Reconciliation',
  note: 'Jobs beside the ledger of what their provider confirmed, and the outcomes that they have. Read job by job, not at one moment.',
  types: ['payment-process', 'refund-process', 'payout-process'],
  columns: [
    { key: 'jobId', header: 'Job' },
    { key: 'type', header: 'Type' },
    { key: 'acceptedAt', header: 'Accepted (UTC)' },
    { key: 'asked', header: 'Asked' },
    { key: 'confirmed', header: 'Confirmed by the provider' },
    { key: 'told', header: 'Told in the result' },
    { key: 'currency', header: 'Currency' },
    { key: 'effect', header: 'Effect' },
    { key: 'reference', header: 'Reference' },
    { key: 'state', header: 'State' },
    { key: 'outcome', header: 'Outcome' },
    { key: 'finding', header: 'Finding' },
    { key: 'error', header: 'Error' },
  ],
  async *rows(pages, tally, records) {
    for await (const page of pages) {
      const jobIds = page.map(({ jobId }) => jobId);
      const [effects, untold] = await Promise.all([records.readEffects(jobIds), records.readUntold(jobIds)]);
      for (const job of page) {
        const row = reconcile(job, effects.get(job.jobId) ?? [], untold.has(job.jobId));
        tally.add(row.finding, dayOf(job.acceptedAt), row.asked);
        yield row;
      }
    }
  },
};

function reconcile(
  job: MoneyJob,
  effects: MoneyEffect[],
  untold: boolean,
): ReportRow & { finding: string; asked: Money } {
  const effect = decisive(effects);
  const asked = moneyIn(job.payload);
  const told = moneyIn(job.result);
  const confirmed = effects.filter(({ state }) => state === 'done').map(({ value }) => moneyIn(value));
  const provider = confirmed.find(({ amount }) => amount !== undefined);
  const currency = provider?.currency ?? told.currency ?? asked.currency;
  const cell = (amount: number | undefined) => (amount === undefined ? undefined : Money.of(amount, currency));
  return {
    jobId: job.jobId,
    type: job.type,
    acceptedAt: job.acceptedAt.toISOString(),
    asked: Money.of(asked.amount ?? 0, currency),
    confirmed: cell(provider?.amount),
    told: cell(told.amount),
    currency: currency?.toUpperCase(),
    effect: effect?.state ?? 'none',
    reference: effect?.reference,
    state: job.status,
    outcome: outcomeOf(job, untold),
    finding: findingOf(job, effects, provider?.amount, told),
    error: job.errorCode,
  };
}

function findingOf(job: MoneyJob, effects: MoneyEffect[], confirmed: number | undefined, told: Told): string {
  const { status } = job;
  const states = effects.map(({ state }) => state);
  if (status === 'in_doubt') return 'in doubt';
  if (status === 'pending' || status === 'processing') return 'open';
  if (states.some((state) => state === 'started' || state === 'in_doubt')) return 'effect unknown';
  if (status !== 'completed') return states.includes('done') ? 'effect without completion' : 'agrees: nothing happened';
  if (told.alreadyRefunded === true) return 'agrees: happened before';
  if (decisive(effects)?.state !== 'done') return 'completed without effect';
  return confirmed === told.amount ? 'agrees' : 'amounts differ';
}

function decisive(effects: MoneyEffect[]): MoneyEffect | undefined {
  return effects.find(({ name }) => DECISIVE.includes(name));
}

function outcomeOf({ status, finishedAt }: MoneyJob, untold: boolean): string {
  if (untold) return 'waits for the broker';
  return finishedAt === undefined ? 'none yet' : status;
}

function moneyIn(value: unknown): Told {
  return money.safeParse(value).data ?? {};
}

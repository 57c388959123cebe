/** The verdict as a person reads it: a line for each kind of request, what happened more than once, and what disagrees. */
import { jobOf } from './charge-checks';
import type { Asked, Disagreement, Facts, Verdict } from './facts';
import { groupBy } from './group';
import { repeatedMails } from './mail-checks';
import { KINDS, SALE_JOBS, type Kind } from '../records';
import { alignedTable } from '../table';

const NUMBERS = ['confirmed', 'answered', 'asExpected', 'charges', 'mails', 'records'] as const;
type Row = { kind: Kind } & Record<(typeof NUMBERS)[number], number>;

export function report({ facts, disagreements }: Verdict): string {
  const wrong = new Set(disagreements.map(({ id }) => id));
  const kinds = Object.keys(KINDS).filter(isKind);
  const rows = kinds.map((kind) => kindRow(facts, kind, wrong)).filter((row) => row.confirmed > 0);
  const sums = NUMBERS.map((column) => rows.reduce((total, row) => total + row[column], 0));
  const table = alignedTable(
    ['request', 'must end', 'confirmed', 'answered', 'as expected', 'charges', 'mails', 'records'],
    [...rows.map((row) => [row.kind, KINDS[row.kind], ...NUMBERS.map((column) => row[column])]), ['all', '', ...sums]],
  );
  return [table, '', ...footer(facts), '', conclusion(disagreements)].join('\n');
}

function kindRow(facts: Facts, kind: Kind, wrong: Set<string>): Row {
  const asked = facts.ofKind(kind);
  const jobs = KINDS[kind] === 'nothing' ? new Set<string>() : jobsOf(facts, asked);
  const { charges, mails, analytics } = facts.evidence;
  return {
    kind,
    confirmed: asked.length,
    answered: answered(facts, kind, asked),
    asExpected: asked.filter(({ record }) => !wrong.has(record.messageId)).length,
    charges: charges.filter((charge) => jobs.has(jobOf(charge))).length,
    mails: mails.filter(({ jobId }) => jobs.has(jobId ?? '')).length,
    records: analytics.recorded.filter(({ id }) => jobs.has(id)).length,
  };
}

function jobsOf(facts: Facts, asked: Asked[]): Set<string> {
  return new Set(asked.flatMap((one) => facts.completed(one)).flatMap(({ data }) => data.jobId ?? []));
}

function answered(facts: Facts, kind: Kind, asked: Asked[]): number {
  if (KINDS[kind] === 'nothing') return 0;
  const refusals = facts.outcomes.filter(({ data }) => data.requestId === null).length;
  if (kind === 'not JSON') return Math.min(refusals, asked.length);
  return asked.filter(({ answers }) => answers.length > 0).length;
}

function footer(facts: Facts): string[] {
  const { charges, mails, analytics } = facts.evidence;
  const calls = charges.reduce((total, charge) => total + charge.calls, 0);
  const days = analytics.counted.filter(({ granularity }) => granularity === 'day');
  const counted = days.reduce((total, { events }) => total + events, 0);
  const paid = [...facts.paid.values()];
  const saleJobs = Object.values(SALE_JOBS);
  const done = paid.flatMap((one) => saleJobs.flatMap((type) => facts.saleJob(one, type) ?? [])).length;
  const asked = paid.length * saleJobs.length;
  return [
    `charges in the payment provider's ledger: ${charges.length}, made with ${calls} calls`,
    `mails at the mail provider: ${mails.length}, of which ${repeatedMails(mails)} were sent again: a receipt may be, after a lost answer or a kill`,
    `sales in the analytics store: ${analytics.recorded.length}, counted as ${counted}`,
    `jobs of the lower tiers: ${asked}, of which ${done} completed and ${asked - done} were lost or failed`,
    `outcomes: ${facts.outcomes.length} different ones, ${facts.repeats} of them delivered again`,
  ];
}

function conclusion(disagreements: Disagreement[]): string {
  if (disagreements.length === 0) return 'Requests, answers, charges, mails and sales agree.';
  const lines = [...groupBy(disagreements, ({ what }) => what)].flatMap(([what, found]) => [
    `${what}: ${found.length}`,
    ...found.map(({ id, detail }) => `  ${id}  ${detail}`),
  ]);
  return [`THEY DO NOT AGREE, ${disagreements.length} times:`, ...lines].join('\n');
}

function isKind(name: string): name is Kind {
  return Object.hasOwn(KINDS, name);
}

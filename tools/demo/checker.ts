/**
 * Reconciles a sale: what was asked, what was answered, what was charged. It sees only what any outsider sees — the ids
 * that the broker confirmed, the outcomes as they were delivered, and the payment provider's own ledger over HTTP — and
 * never the service's tables, so it cannot be fooled by them. Exit code 0 only when all three agree.
 *
 *     node --import tsx tools/demo/checker.ts --published FILE --outcomes FILE --ledger URL
 */
import { parseArgs } from 'node:util';
import { checkAnswers } from './answer-checks';
import { checkCharges, jobOf } from './charge-checks';
import { Facts, type Disagreement } from './facts';
import { groupBy } from './group';
import { KINDS, outcomeRecord, publishedRecord, readLedger, readLines, type Kind } from './records';
import { alignedTable } from './table';

export interface Sources {
  published: string;
  outcomes: string;
  ledger: string;
}

export interface Verdict {
  facts: Facts;
  disagreements: Disagreement[];
}

export async function check({ published, outcomes, ledger }: Sources): Promise<Verdict> {
  const facts = new Facts({
    published: readLines(published, publishedRecord),
    outcomes: readLines(outcomes, outcomeRecord),
    charges: (await readLedger(ledger)).charges,
  });
  return { facts, disagreements: [...checkAnswers(facts), ...checkCharges(facts)] };
}

export function report({ facts, disagreements }: Verdict): string {
  const wrong = new Set(disagreements.map(({ id }) => id));
  const kinds = Object.keys(KINDS).filter(isKind);
  const rows = kinds.map((kind) => kindRow(facts, kind, wrong)).filter((row) => row.confirmed > 0);
  const sum = (column: 'confirmed' | 'answered' | 'asExpected' | 'charges'): number =>
    rows.reduce((total, row) => total + row[column], 0);
  const table = alignedTable(
    ['request', 'must end', 'confirmed', 'answered', 'as expected', 'charges'],
    [
      ...rows.map((row) => [row.kind, KINDS[row.kind], row.confirmed, row.answered, row.asExpected, row.charges]),
      ['all', '', sum('confirmed'), sum('answered'), sum('asExpected'), sum('charges')],
    ],
  );
  const calls = facts.charges.reduce((total, charge) => total + charge.calls, 0);
  const footer = [
    `charges in the provider's ledger: ${facts.charges.length}, made with ${calls} calls`,
    `outcomes: ${facts.outcomes.length} different ones, ${facts.repeats} of them delivered again`,
  ];
  return [table, '', ...footer, '', conclusion(disagreements)].join('\n');
}

function kindRow(facts: Facts, kind: Kind, wrong: Set<string>) {
  const records = facts.ofKind(kind);
  const asked = records.map(({ requestId }) => (requestId === null ? undefined : facts.requests.get(requestId)));
  const jobs = new Set(asked.flatMap((one) => (one ? facts.completed(one) : [])).map(({ data }) => data.jobId));
  const owed = KINDS[kind] === 'nothing' ? [] : records;
  const refusals = facts.outcomes.filter(({ data }) => data.requestId === null).length;
  return {
    kind,
    confirmed: records.length,
    answered:
      kind === 'not JSON'
        ? Math.min(refusals, records.length)
        : owed.filter((_, index) => (asked[index]?.answers.length ?? 0) > 0).length,
    asExpected: records.filter(({ messageId }) => !wrong.has(messageId)).length,
    charges: owed.length === 0 ? 0 : facts.charges.filter((charge) => jobs.has(jobOf(charge))).length,
  };
}

function conclusion(disagreements: Disagreement[]): string {
  if (disagreements.length === 0) return 'Requests, answers and charges agree.';
  const lines = [...groupBy(disagreements, ({ what }) => what)].flatMap(([what, found]) => [
    `${what}: ${found.length}`,
    ...found.map(({ id, detail }) => `  ${id}  ${detail}`),
  ]);
  return [`THEY DO NOT AGREE, ${disagreements.length} times:`, ...lines].join('\n');
}

function isKind(name: string): name is Kind {
  return Object.hasOwn(KINDS, name);
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { published: text, outcomes: text, ledger: text } });
  const { published, outcomes, ledger } = values;
  if (!published || !outcomes || !ledger)
    throw new Error('usage: checker.ts --published FILE --outcomes FILE --ledger URL');
  const verdict = await check({ published, outcomes, ledger });
  console.log(report(verdict));
  process.exitCode = verdict.disagreements.length === 0 ? 0 : 1;
}

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  });
}

import path from 'node:path';
import { CHECKOUT } from '../services/layout';
import { runToEnd } from '../stage/child';
import { describeWeather } from './sale/faults';
import { readFigures } from './figures';
import type { Sale } from './sale/performance';
import type { Stage } from './stage';

const CHECKER_LIMIT_MS = 30_000;

/** The checker as a program of its own, which gets two files and three addresses and nothing else. */
export async function runChecker({ files, providers, services, closeBooks }: Stage): Promise<number> {
  await closeBooks();
  console.log('\nThe checker, from the confirmed ids, the delivered outcomes and everybody’s ledger:\n');
  const { published, outcomes } = files;
  const args = ['--published', published, '--outcomes', outcomes];
  args.push('--charges', providers.payments.url, '--mails', providers.mails.url);
  args.push('--analytics', services.urls.DATABASE_URL);
  return runToEnd(['--import', 'tsx', 'tools/demo/checker/main.ts', ...args], {
    cwd: CHECKOUT,
    env: process.env,
    stdio: 'inherit',
    limitMs: CHECKER_LIMIT_MS,
  });
}

export function printSummary(
  stage: Stage,
  sale: Sale,
  keepsakes: string[],
  end: { agreed: boolean; seconds: number },
): void {
  const { messages, seconds, perSecond, p50Ms, p95Ms, maxMs } = readFigures(
    stage.files.published,
    stage.files.outcomes,
  );
  const relative = (file: string): string => path.relative(process.cwd(), path.join(stage.folder, file));
  const lines = [
    `${end.agreed ? 'AGREED' : 'NOT AGREED'} after ${end.seconds.toFixed(0)} s in all.`,
    '  went wrong on purpose:',
    ...[...describeWeather(), ...sale.incidents].map((wrong) => `    ${wrong}`),
    `  ${messages} messages answered within ${seconds.toFixed(1)} s, ${perSecond.toFixed(0)} a second (the sale’s pace, not a limit)`,
    `  request to outcome: p50 ${p50Ms} ms, p95 ${p95Ms} ms, longest ${maxMs} ms (kills, retries and their back-off included)`,
    ...(sale.complete ? [] : ['  time was up before everything was answered']),
    'Look next at',
    `  ${relative('published.jsonl')}, ${relative('outcomes.jsonl')}   every request and every outcome`,
    `  ${relative('front.log')}, ${relative('worker-1.log')}, ${relative('worker-2.log')}   the service’s own words`,
    `  ${keepsakes.map((file) => path.relative(process.cwd(), file)).join(', ')}   a receipt, and the report of the sales`,
    '  npm run services -- up --set demo   the same servers with all data, then psql "$DATABASE_URL"',
    '  src/intake/accept.ts, src/execution/runner.ts   the way of a job',
  ];
  console.log(`\n${lines.join('\n')}`);
}

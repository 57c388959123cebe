/**
 * Reconciles a sale: what was asked, what was answered, what was charged, mailed and counted. It sees only what any outsider
 * sees — the ids that the broker confirmed, the outcomes as they were delivered, the providers' own ledgers over HTTP, and
 * the sales as dashboards read them — and never the service's records of jobs, so it cannot be fooled by them. Exit code 0
 * only when all of them agree.
 *
 *     node --import tsx tools/demo/checker/main.ts --published FILE --outcomes FILE --charges URL --mails URL --analytics URL
 */
import { parseArgs } from 'node:util';
import { checkAnalytics } from './analytics-checks';
import { checkAnswers } from './answer-checks';
import { checkCharges } from './charge-checks';
import { Facts, type Evidence, type Verdict } from './facts';
import { readAnalytics, readCharges, readMails } from './ledgers';
import { checkMails } from './mail-checks';
import { checkPaid } from './paid-checks';
import { outcomeRecord, publishedRecord, readLines } from '../records';
import { report } from './report';

/** Where each part of the evidence is: two files, two providers, a database. */
export interface Sources {
  published: string;
  outcomes: string;
  charges: string;
  mails: string;
  analytics: string;
}

export function check(evidence: Evidence): Verdict {
  const facts = new Facts(evidence);
  const checks = [checkAnswers, checkCharges, checkPaid, checkMails, checkAnalytics];
  return { facts, disagreements: checks.flatMap((each) => each(facts)) };
}

async function collect(sources: Sources): Promise<Evidence> {
  return {
    published: readLines(sources.published, publishedRecord),
    outcomes: readLines(sources.outcomes, outcomeRecord),
    charges: await readCharges(sources.charges),
    mails: await readMails(sources.mails),
    analytics: await readAnalytics(sources.analytics),
  };
}

function readSources(argv: string[]): Sources {
  const text = { type: 'string' } as const;
  const options = { published: text, outcomes: text, charges: text, mails: text, analytics: text };
  const { published, outcomes, charges, mails, analytics } = parseArgs({ args: argv, options }).values;
  if (!published || !outcomes || !charges || !mails || !analytics) {
    throw new Error('usage: checker.ts --published FILE --outcomes FILE --charges URL --mails URL --analytics URL');
  }
  return { published, outcomes, charges, mails, analytics };
}

async function main(): Promise<void> {
  const verdict = check(await collect(readSources(process.argv.slice(2))));
  console.log(report(verdict));
  process.exitCode = verdict.disagreements.length === 0 ? 0 : 1;
}

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  });
}

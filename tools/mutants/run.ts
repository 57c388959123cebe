/**
 * `npm run mutants`: takes one guard rail after the other out of a copy of the tree and runs the test that guards it. A
 * mutant is caught when that test goes red; one that survives means that the guard rail could be lost unnoticed.
 */
import path from 'node:path';
import { CHECKOUT } from '../services/layout';
import { Copy } from './copy';
import { runTests, type TestRun } from './jest';
import { readMutants, type Mutant } from './mutant';

const ONE_LIMIT_MS = 120_000;
const ALL_LIMIT_MS = 10 * 60_000;

function main([only]: string[]): number {
  const all = readMutants(path.join(CHECKOUT, 'test', 'mutants'));
  const mutants = all.filter(({ file }) => only === undefined || path.basename(file).includes(only));
  const copy = new Copy('mutants');
  try {
    const whole = runTests(copy.folder, unique(mutants.map(({ test }) => test)), namesOf(mutants), ALL_LIMIT_MS);
    const verdicts = mutants.map((mutant) => report(mutant, judge(copy, mutant, whole)));
    const caught = verdicts.filter((verdict) => verdict === 'caught').length;
    console.log(`${caught} caught, ${verdicts.length - caught} survived`);
    return caught === verdicts.length && caught > 0 ? 0 : 1;
  } finally {
    copy.remove();
  }
}

/** `caught`, or why not. */
function judge(copy: Copy, mutant: Mutant, whole: TestRun): string {
  const before = whole.status.get(mutant.name);
  if (before !== 'passed') return `the test is ${before ?? 'not there'} without the patch\n${whole.message}`;
  try {
    const run = copy.broken(mutant.file, () => runTests(copy.folder, [mutant.test], [mutant.name], ONE_LIMIT_MS));
    const after = run.status.get(mutant.name);
    if (after === 'failed') return 'caught';
    return after === 'passed' ? 'survived' : `the test did not run\n${run.message}`;
  } catch (error) {
    return `the patch does not apply: ${error instanceof Error ? error.message : 'unknown'}`;
  }
}

function report(mutant: Mutant, verdict: string): string {
  const known = verdict === 'caught' || verdict === 'survived';
  console.log(`${known ? verdict : 'broken'}  ${path.basename(mutant.file, '.patch')}: ${mutant.removes}`);
  console.log(`        ${mutant.test} › ${mutant.name}`);
  if (!known) console.log(verdict);
  return verdict;
}

function namesOf(mutants: Mutant[]): string[] {
  return unique(mutants.map(({ name }) => name));
}

function unique(values: string[]): string[] {
  return [...new Set(values)];
}

process.exitCode = main(process.argv.slice(2));

/**
 * `npm run bench`: how fast the service is, beside a pipeline without any guarantee and beside what others would use, all
 * in turns on the same servers. docs/performance.md tells how to run it and what came of it.
 *
 *     npm run bench -- [--only ROW,…] [--jobs N] [--runs N] [--against COMMIT] [--assert] [--json FILE]
 */
import { Cleanup } from '../../tools/stage/cleanup';
import { catchSignals, exitCodeOf } from '../../tools/services/signals';
import { missed } from './checks';
import { readOptions } from './options';
import { checksTable, tableOf, writeJson, type Results } from './report';
import { chooseRows } from './rows';
import type { Row } from './rows/row';
import { openStage, type Stage } from './stage/stage';

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  const rows = chooseRows(options.only);
  const startedAt = new Date();
  const signals = catchSignals();
  const interruption = new AbortController();
  signals.forward = () => interruption.abort();
  const cleanup = new Cleanup();
  try {
    const stage = await openStage(options, cleanup, interruption.signal);
    const results = await measure(stage, rows);
    if (options.json !== undefined) writeJson(options.json, stage, startedAt, results);
    const checks = Object.values(results).flatMap((result) => result.checks);
    if (checks.length > 0) console.log(`\n${checksTable(results)}`);
    return options.assert && missed(checks).length > 0 ? 1 : 0;
  } catch (error) {
    // What a Ctrl-C makes fail on its way is no failure of the bench.
    if (signals.first === undefined) throw error;
    console.log(`\n${signals.first}: stopping what was started`);
    return exitCodeOf(signals.first);
  } finally {
    for (const failure of await cleanup.run()) console.error(`not stopped: ${failure}`);
    signals.release();
  }
}

async function measure(stage: Stage, rows: readonly Row[]): Promise<Results> {
  const results: Results = {};
  for (const row of rows) {
    console.log(`\n${row.name}: ${row.about}`);
    const result = await row.measure(stage);
    results[row.name] = result;
    console.log(`\n${tableOf(result)}`);
    for (const note of result.notes ?? []) console.log(`\n${note}`);
  }
  return results;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);

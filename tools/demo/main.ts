/**
 * `npm run demo`: a ticket sale, from nothing to a reconciled account. Private servers, the service as real processes,
 * providers that misbehave, an order service that asks for charges and says what is paid; in the middle the money Redis is
 * emptied and a worker is killed. At the end the checker compares what was asked, answered, charged, mailed and counted,
 * and decides the exit code.
 *
 *     npm run demo -- [--seed NUMBER] [--orders NUMBER] [--keep]
 *
 * `--keep` leaves all of it running and says how to get in, until Ctrl-C.
 */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { LOCAL } from '../services/layout';
import { printAccess } from '../stage/access';
import type { Cleanup } from '../stage/cleanup';
import { exitWith, launch, type End } from '../stage/launch';
import { RunRecord } from '../stage/run-record';
import { saveKeepsakes } from './keepsakes';
import { performSale } from './sale/performance';
import { openStage } from './stage';
import { printSummary, runChecker } from './summary';

const FOLDER = path.join(LOCAL, 'demo-run');
const MAX_SEED = 2 ** 31;

interface Options {
  seed: number;
  orders: number;
  keep: boolean;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  mkdirSync(FOLDER, { recursive: true });
  const record = new RunRecord(FOLDER, 'tools/demo/main.ts');
  await record.endPrevious();
  for (const file of ['published.jsonl', 'outcomes.jsonl']) rmSync(path.join(FOLDER, file), { force: true });
  record.write([]);
  return launch((cleanup, interruption) => play(options, record, cleanup, interruption));
}

async function play(options: Options, record: RunRecord, cleanup: Cleanup, signal: AbortSignal): Promise<End> {
  const begun = performance.now();
  console.log(
    `Ticket sale of ${options.orders} orders, seed ${options.seed} (--seed ${options.seed} repeats its choices)`,
  );
  const stage = await openStage(FOLDER, record, cleanup, signal);
  const sale = await performSale(stage, options, signal);
  const code = await runChecker(stage);
  const keepsakes = await saveKeepsakes(stage);
  const stopped = options.keep ? [] : await stage.stopService();
  for (const problem of stopped) console.log(`not an orderly end: ${problem}`);
  const agreed = code === 0 && stopped.length === 0;
  printSummary(stage, sale, keepsakes, { agreed, seconds: (performance.now() - begun) / 1_000 });
  if (options.keep) await printAccess(stage.key, { ...stage, urls: stage.services.urls });
  return { code: agreed ? 0 : 1, keep: options.keep };
}

function readOptions(argv: string[]): Options {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args: argv, options: { seed: text, orders: text, keep: { type: 'boolean' } } });
  const seed = values.seed === undefined ? Math.floor(Math.random() * MAX_SEED) : Number(values.seed);
  const orders = Number(values.orders ?? 500);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error('--seed takes a whole number');
  if (!Number.isSafeInteger(orders) || orders < 50) throw new Error('--orders takes a whole number from 50 on');
  return { seed, orders, keep: values.keep ?? false };
}

exitWith(main());

/**
 * `npm run demo`: a ticket sale, from nothing to a reconciled account. Private servers, the service as real processes,
 * providers that misbehave, an order service that asks for charges and says what is paid; in the middle the money Redis is
 * emptied and a worker is killed. At the end the checker compares what was asked, answered, charged, mailed and counted,
 * and decides the exit code.
 *
 *     npm run demo -- [--seed NUMBER] [--orders NUMBER]
 */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { LOCAL } from '../services/layout';
import { catchSignals, exitCodeOf } from '../services/signals';
import { Cleanup } from './cleanup';
import { endPreviousRun, recordRun } from './previous-run';
import { openStage } from './stage';
import { performSale } from './sale/performance';
import { printSummary, runChecker } from './summary';

const FOLDER = path.join(LOCAL, 'demo-run');
const MAX_SEED = 2 ** 31;

interface Options {
  seed: number;
  orders: number;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  mkdirSync(FOLDER, { recursive: true });
  await endPreviousRun(FOLDER);
  for (const file of ['published.jsonl', 'outcomes.jsonl']) rmSync(path.join(FOLDER, file), { force: true });
  recordRun(FOLDER, []);

  const signals = catchSignals();
  const interruption = new AbortController();
  signals.forward = () => interruption.abort();
  const cleanup = new Cleanup();
  const interrupted = new Promise<undefined>((resolve) => {
    interruption.signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  try {
    // What a Ctrl-C makes fail on its way is no failure of the demo.
    const playing = play(options, cleanup, interruption.signal).catch((error: unknown) => {
      if (signals.first === undefined) throw error;
      return undefined;
    });
    const code = await Promise.race([playing, interrupted]);
    if (signals.first === undefined) return code ?? 1;
    console.log(`\n${signals.first}: stopping what was started`);
    return exitCodeOf(signals.first);
  } finally {
    for (const failure of await cleanup.run()) console.error(`not stopped: ${failure}`);
    signals.release();
  }
}

async function play(options: Options, cleanup: Cleanup, signal: AbortSignal): Promise<number> {
  const begun = performance.now();
  console.log(
    `Ticket sale of ${options.orders} orders, seed ${options.seed} (--seed ${options.seed} repeats its choices)`,
  );
  const stage = await openStage(FOLDER, cleanup, signal);
  const sale = await performSale(stage, options, signal);
  const code = await runChecker(stage);
  const stopped = await stage.stopService();
  for (const problem of stopped) console.log(`not an orderly end: ${problem}`);
  const agreed = code === 0 && stopped.length === 0;
  printSummary(stage, sale, { agreed, seconds: (performance.now() - begun) / 1_000 });
  return agreed ? 0 : 1;
}

function readOptions(argv: string[]): Options {
  const { values } = parseArgs({ args: argv, options: { seed: { type: 'string' }, orders: { type: 'string' } } });
  const seed = values.seed === undefined ? Math.floor(Math.random() * MAX_SEED) : Number(values.seed);
  const orders = Number(values.orders ?? 500);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error('--seed takes a whole number');
  if (!Number.isSafeInteger(orders) || orders < 50) throw new Error('--orders takes a whole number from 50 on');
  return { seed, orders };
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  },
);

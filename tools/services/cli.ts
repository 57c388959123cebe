/** `npm run services -- up | down | status [--set NAME]`, and `exec --set NAME -- COMMAND`, which the test run uses. */
import { parseArgs } from 'node:util';
import { execWithServices } from './exec';
import { startServices, statusOf, stopServices } from './index';
import { catchSignals, exitCodeOf } from './signals';

const USAGE = 'usage: services up | down | status [--set dev|test|demo]   ·   exec [--set NAME] -- COMMAND [ARGUMENTS]';

async function main(argv: string[]): Promise<number> {
  const separator = argv.indexOf('--');
  const command = separator < 0 ? [] : argv.slice(separator + 1);
  const { values, positionals } = parseArgs({
    args: separator < 0 ? argv : argv.slice(0, separator),
    options: { set: { type: 'string', default: 'dev' } },
    allowPositionals: true,
  });
  const { set } = values;
  switch (positionals[0] ?? '') {
    case 'up':
      return up(set);
    case 'down':
      await stopServices(set);
      console.log(`set ${set}: down`);
      return 0;
    case 'status':
      return status(set);
    case 'exec':
      return execWithServices(set, command);
    default:
      console.error(USAGE);
      return 2;
  }
}

async function up(set: string): Promise<number> {
  const begun = performance.now();
  const signals = catchSignals();
  const services = await startServices(set);
  if (signals.first !== undefined) {
    await services.stop();
    return exitCodeOf(signals.first);
  }
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  let how = 'was up already';
  if (services.external) how = 'named by the environment, nothing started';
  else if (services.startedHere) how = `up after ${seconds} s`;
  console.log(`set ${set}: ${how}`);
  for (const [name, url] of Object.entries(services.urls)) console.log(`${name}=${url}`);
  return 0;
}

/** Exit code 0 only when all of it runs, so that scripts can ask. */
function status(set: string): number {
  const servers = statusOf(set);
  for (const { name, pid, port } of servers) {
    const where = port === undefined ? '' : ` port ${port}`;
    console.log(`${name.padEnd(20)} ${pid === undefined ? 'down' : `up, pid ${pid}`}${where}`);
  }
  return servers.every(({ pid }) => pid !== undefined) ? 0 : 1;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  },
);

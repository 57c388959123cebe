import { spawn } from 'node:child_process';
import { environmentOf, startServices } from './index';
import { type CaughtSignals, catchSignals, exitCodeOf } from './signals';

/** A child that ignores the signal must not keep the servers running. */
const CHILD_LIMIT_MS = 30_000;

/** Runs a command with a set's URLs in its environment; stops what it started, whatever happens to the command. */
export async function execWithServices(set: string, command: readonly string[]): Promise<number> {
  const [program, ...args] = command;
  if (program === undefined) throw new Error('exec: no command given');
  // From the start on, or a Ctrl-C while the servers start would leave them behind.
  const signals = catchSignals();
  try {
    const services = await startServices(set);
    try {
      if (signals.first !== undefined) return exitCodeOf(signals.first);
      return await run(program, args, { ...process.env, ...environmentOf(services) }, signals);
    } finally {
      await services.stop();
    }
  } finally {
    signals.release();
  }
}

function run(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signals: CaughtSignals,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env });
    let limit: NodeJS.Timeout | undefined;
    signals.forward = (signal) => {
      child.kill(signal);
      limit = setTimeout(() => child.kill('SIGKILL'), CHILD_LIMIT_MS);
    };
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(limit);
      resolve(code ?? exitCodeOf(signal ?? 'SIGKILL'));
    });
  });
}

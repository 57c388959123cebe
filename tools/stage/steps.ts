import { CHECKOUT } from '../services/layout';
import { runToEnd } from './child';

const PROGRAM_LIMIT_MS = 120_000;

/** Runs a program of the checkout to its end. @throws when it fails */
export async function succeed(args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const code = await runToEnd(args, { cwd: CHECKOUT, env, stdio: 'ignore', limitMs: PROGRAM_LIMIT_MS });
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with exit code ${code}`);
}

/** Says what was done, and how long it took. */
export async function step<Value>(what: string, work: () => Promise<Value>): Promise<Value> {
  const begun = performance.now();
  const value = await work();
  console.log(`  ${what} (${((performance.now() - begun) / 1_000).toFixed(1)} s)`);
  return value;
}

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { withLimit } from '../services/wait';

export interface ChildOptions {
  name: string;
  args: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Its output goes there, at the end; left out, to where ours goes. */
  logFile?: string;
}

const STOP_LIMIT_MS = 15_000;

/**
 * A Node program of ours in a process of its own. It leads its own process group, so that a Ctrl-C in the terminal
 * reaches the launcher alone, which then stops everything in order.
 */
export class Child {
  private constructor(
    readonly options: ChildOptions,
    private readonly process: ChildProcess,
    private readonly exited: Promise<string>,
  ) {}

  static start(options: ChildOptions): Child {
    const { args, cwd, env, logFile } = options;
    const log = logFile === undefined ? undefined : openSync(logFile, 'a');
    try {
      const output = log ?? 'inherit';
      const child = spawn(process.execPath, args, { cwd, env, detached: true, stdio: ['ignore', output, output] });
      const exited = new Promise<string>((resolve) => {
        child.once('error', (error) => resolve(error.message));
        child.once('exit', (code, signal) => resolve(signal ? `ended by ${signal}` : `exit code ${String(code)}`));
      });
      return new Child(options, child, exited);
    } finally {
      if (log !== undefined) closeSync(log);
    }
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null && this.pid !== undefined;
  }

  /** `kill -9`, to its children as well; resolves when it is gone. */
  async kill(): Promise<void> {
    // Its group has its number.
    if (this.running && this.pid !== undefined) process.kill(-this.pid, 'SIGKILL');
    await this.exited;
  }

  /** An orderly stop; what does not heed it is killed. Resolves with how it ended. */
  async stop(): Promise<string> {
    if (this.running) this.process.kill('SIGTERM');
    try {
      return await withLimit(`the end of ${this.options.name}`, STOP_LIMIT_MS, this.exited);
    } catch {
      await this.kill();
      return 'killed, since it did not stop';
    }
  }
}

/** Runs a program to its end and resolves with its exit code. */
export async function runToEnd(
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv; stdio: 'inherit' | 'ignore'; limitMs: number },
): Promise<number> {
  const { cwd, env, stdio, limitMs } = options;
  const child = spawn(process.execPath, args, { cwd, env, timeout: limitMs, stdio: ['ignore', stdio, 'inherit'] });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

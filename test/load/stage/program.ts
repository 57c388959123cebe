import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { withLimit } from '../../../tools/services/wait';

export interface ProgramOptions {
  name: string;
  file: string;
  args?: string[];
  /** Of Node, before the file. */
  nodeOptions?: string[];
  cwd: string;
  variables: Record<string, string>;
  /** Its output goes there, at the end. */
  logFile: string;
}

/** What programs send back for each question, see programs/answering.ts. */
const reply = z.union([z.object({ answer: z.unknown() }), z.object({ failure: z.string() })]);

/** As the service's image has it, and fair to all. */
const YOUNG_GENERATION = '--max-semi-space-size=64';
const STOP_LIMIT_MS = 15_000;
/** Of the output of a program that has died, in the message that says so. */
const LAST_LINES = 12;

/**
 * A Node program in a process of its own that answers questions, one at a time. It leads its own process group, so that a
 * Ctrl-C in the terminal reaches the bench alone; it ends by itself when the bench is gone.
 */
export class Program {
  private readonly child: ChildProcess;
  private readonly exited: Promise<string>;
  /** Where its own output begins in the file. */
  private readonly logStart: number;

  constructor(private readonly options: ProgramOptions) {
    const log = openSync(options.logFile, 'a');
    this.logStart = statSync(options.logFile).size;
    try {
      this.child = fork(options.file, options.args ?? [], {
        cwd: options.cwd,
        execArgv: [YOUNG_GENERATION, ...(options.nodeOptions ?? [])],
        env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_ENV: 'production', ...options.variables },
        detached: true,
        stdio: ['ignore', log, log, 'ipc'],
      });
    } finally {
      closeSync(log);
    }
    this.exited = new Promise((resolve) => {
      this.child.once('error', (error) => resolve(error.message));
      this.child.once('exit', (code, signal) => resolve(signal ? `ended by ${signal}` : `exit code ${String(code)}`));
    });
  }

  get pid(): number {
    const { pid } = this.child;
    if (pid === undefined) throw new Error(`${this.options.name} could not be started`);
    return pid;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null && this.child.pid !== undefined;
  }

  /** @throws when it ends instead of answering, when it answers with a failure, or not in time */
  async ask<Answer>(question: object, answer: z.ZodType<Answer>, limitMs: number): Promise<Answer> {
    const { name } = this.options;
    if (!this.running) await this.death();
    const heard = new Promise<unknown>((resolve, reject) => {
      this.child.once('message', resolve);
      this.death().catch(reject);
    });
    this.child.send(question, () => undefined);
    const said = reply.parse(await withLimit(`${name}, asked ${JSON.stringify(question)}`, limitMs, heard));
    if ('failure' in said) throw new Error(`${name}: ${said.failure}`);
    return answer.parse(said.answer);
  }

  /** @throws when it ends, with what it wrote last */
  async death(): Promise<never> {
    const end = await this.exited;
    const { name, logFile } = this.options;
    const output = readFileSync(logFile).subarray(this.logStart).toString().trimEnd();
    const lastLines = output.split('\n').slice(-LAST_LINES).join('\n');
    throw new Error(`${name} ended (${end}), see ${logFile}:\n${lastLines}`);
  }

  /** An orderly end; what does not heed it is killed. */
  async stop(): Promise<void> {
    if (this.running) this.child.kill('SIGTERM');
    await withLimit(`the end of ${this.options.name}`, STOP_LIMIT_MS, this.exited).catch(() => this.kill());
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

import { fork, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';
import type { Role } from '../../src/config';
import type { StepName } from '../../src/composition/foundation';
import type { Kill } from './crash-points';
import { eventually } from './harness';

export interface ProcessPlan {
  kill?: Kill | undefined;
  /** The file whose creator dies. */
  token: string;
  roles?: Role[] | undefined;
  window?: number | undefined;
  refused?: StepName | undefined;
}

const ROOT = path.join(__dirname, '../..');
const FOLDER = path.join(ROOT, '.local', `crash-${process.pid}`);
const BUNDLE = path.join(FOLDER, 'child.cjs');
const MAX_LOG = 200;

/** Compiled once: a process that compiled itself would start half a second later. */
export function buildChild(): { folder: string } {
  mkdirSync(FOLDER, { recursive: true });
  buildSync({
    entryPoints: [path.join(__dirname, 'crash-child.ts')],
    outfile: BUNDLE,
    bundle: true,
    platform: 'node',
    target: 'node20',
    packages: 'external',
  });
  // They are looked for beside the code.
  cpSync(path.join(ROOT, 'src/handlers/email/templates'), path.join(FOLDER, 'templates'), { recursive: true });
  return { folder: FOLDER };
}

/** One process of the service. */
export class CrashProcess {
  readonly log: string[] = [];
  private readonly child: ChildProcess;
  private readonly answers: string[] = [];
  private ready = false;

  constructor(variables: Record<string, string>, plan: ProcessPlan) {
    const { kill, token, window, refused } = plan;
    const env = {
      ...process.env,
      ...variables,
      LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'info',
      CRASH_PLAN: JSON.stringify({ call: 1, ...kill, token, window, refused }),
      ...(plan.roles ? { ROLES: plan.roles.join(',') } : {}),
    };
    this.child = fork(BUNDLE, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (data: Buffer) => this.keep(data.toString()));
    }
    this.child.on('message', (message: { ready?: boolean; answer?: string }) => {
      if (message.ready) this.ready = true;
      if (message.answer !== undefined) this.answers.push(message.answer);
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get signal(): NodeJS.Signals | null {
    return this.child.signalCode;
  }

  get gone(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Until it has started, or is gone. */
  async started(): Promise<void> {
    await eventually('a process starts', () => this.ready || this.gone);
    if (this.child.exitCode !== null) throw new Error(`a process ended by itself:\n${this.log.join('\n')}`);
  }

  /** Asks for a cancellation or a replay; undefined when the process died over it. */
  async ask(ask: 'cancel' | 'replay', jobId: string): Promise<string | undefined> {
    const before = this.answers.length;
    this.child.send({ ask, jobId });
    await eventually('an answer', () => this.answers.length > before || this.gone);
    return this.answers[before];
  }

  /** Stops it in an orderly way and answers with its exit code. */
  async stop(): Promise<number | null> {
    if (!this.gone) this.child.kill('SIGTERM');
    await eventually('a process stops', () => this.gone, 20_000);
    return this.child.exitCode;
  }

  /** For the end of a failed test. */
  end(): void {
    if (!this.gone) this.child.kill('SIGKILL');
  }

  private keep(text: string): void {
    this.log.push(...text.trimEnd().split('\n'));
    this.log.splice(0, this.log.length - MAX_LOG);
  }
}

/** What the process that died wrote last: where it died. */
export function deathAt(token: string): string | undefined {
  return existsSync(token) ? readFileSync(token, 'utf8') : undefined;
}

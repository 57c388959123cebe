import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';

const ROOT = path.join(__dirname, '../..');

/** Node in a process of its own, with nothing of this process' environment but what it needs to start. */
export class NodeProcess {
  private readonly child: ChildProcess;
  /** Everything that it wrote, in order. */
  output = '';
  readonly exited: Promise<number | NodeJS.Signals>;

  constructor(options: string[], cwd: string, variables: Record<string, string>) {
    this.child = spawn(process.execPath, options, {
      cwd,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (data: Buffer) => (this.output += data.toString()));
    }
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => resolve(code ?? signal ?? 'SIGKILL'));
    });
  }

  /** Undefined when it could not be started. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  get gone(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ends it if it still runs. */
  async end(): Promise<void> {
    if (!this.gone) this.child.kill('SIGKILL');
    await this.exited;
  }
}

/** A program of this project, compiled as it runs. */
export class ServiceProcess extends NodeProcess {
  /** @param program from the project's root */
  constructor(program: string, variables: Record<string, string>) {
    super(['--import', 'tsx', path.join(ROOT, program)], ROOT, variables);
  }
}

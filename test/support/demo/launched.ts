import { z } from 'zod';
import { eventually } from '../harness';
import { NodeProcess } from '../service-process';
import { startedBy, stillAlive } from './processes';

const READY = 'Everything runs until Ctrl-C.';
const READY_LIMIT_MS = 480_000;

const submitted = z.object({ jobId: z.uuid() });
const viewed = z.object({ state: z.string(), result: z.unknown() });

/** A launcher of a copy of the tree, as a person would start it, with what it says about how to get in. */
export class Launched {
  private readonly program: NodeProcess;

  /** @param command of `tools/bootstrap.mjs`, with its arguments */
  constructor(
    private readonly folder: string,
    ...command: string[]
  ) {
    this.program = new NodeProcess(['tools/bootstrap.mjs', ...command], folder, {});
  }

  get output(): string {
    return this.program.output;
  }

  async ready(): Promise<void> {
    await eventually(READY, () => this.output.includes(READY) || this.program.gone, READY_LIMIT_MS);
    if (!this.output.includes(READY)) throw new Error(`it ended:\n${this.output}`);
  }

  /** An address or a token, by the name under which it is printed. */
  printed(name: string): string {
    const found = new RegExp(`^  ${name} +(\\S+)$`, 'm').exec(this.output)?.[1];
    if (found === undefined) throw new Error(`${name} was not printed`);
    return found;
  }

  /** Asks for a job by the printed address and token, and waits for its end. */
  async runCanary(n: number): Promise<void> {
    const answer = await this.call('POST', '/jobs', { type: 'canary-money', data: { n } });
    const { jobId } = submitted.parse(answer);
    const job = await eventually(`the end of job ${jobId}`, async () => {
      const view = viewed.parse(await this.call('GET', `/jobs/${jobId}`));
      return view.state === 'completed' && view;
    });
    expect(job.result).toEqual({ n });
  }

  /** As a Ctrl-C does it; resolves with the exit code and with what it has left behind. */
  async interrupt(): Promise<{ code: number | NodeJS.Signals; left: string[] }> {
    const running = startedBy(this.program.pid, this.folder);
    expect(running.size).toBeGreaterThan(1);
    this.program.kill('SIGINT');
    const code = await this.program.exited;
    return { code, left: stillAlive([...running, ...startedBy(undefined, this.folder)]) };
  }

  /** For tests that did not come to their end: what was started stops by itself. */
  async end(): Promise<void> {
    this.program.kill('SIGTERM');
    await this.program.exited;
  }

  private async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(`${this.printed('API')}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.printed('service')}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}

/** A real node of an EVM chain, Foundry's anvil, as a child process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { freePort } from '../free-port';

const START_LIMIT_MS = 15_000;

export interface AnvilOptions {
  /** Seconds between blocks; left out, each transaction gets its block at once. */
  blockTime?: number | undefined;
  /** Where the chain is kept over restarts; left out, it is forgotten. */
  stateFile?: string | undefined;
}

export class Anvil {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly port: number,
    private readonly options: AnvilOptions,
  ) {}

  static async start(options: AnvilOptions = {}): Promise<Anvil> {
    const anvil = new Anvil(await freePort(), options);
    await anvil.begin();
    return anvil;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** JSON-RPC. @throws what the node answers with an error */
  async ask(method: string, params: unknown[] = []): Promise<unknown> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: AbortSignal.timeout(10_000),
    });
    const { result, error } = answer.parse(await response.json());
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** `kill -9`, and the same node again with what it had written. */
  async restart(): Promise<void> {
    await this.stop('SIGKILL');
    await this.begin();
  }

  /** Whether what it would be started again with has a block of the signer's with that nonce. */
  isWritten(nonces: number): boolean {
    const { stateFile } = this.options;
    if (stateFile === undefined || !existsSync(stateFile)) return false;
    const state = written.safeParse(parse(readFileSync(stateFile, 'utf8')));
    return state.success && Object.values(state.data.accounts).some(({ nonce }) => nonce === nonces);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  private async begin(): Promise<void> {
    const { blockTime, stateFile } = this.options;
    const args = ['--host', '127.0.0.1', '--port', String(this.port), '--chain-id', '137', '--silent'];
    if (blockTime !== undefined) args.push('--block-time', String(blockTime));
    if (stateFile !== undefined) args.push('--state', stateFile, '--state-interval', '1');
    const child = spawn(programPath(), args, { stdio: 'ignore' });
    this.child = child;
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    const limit = performance.now() + START_LIMIT_MS;
    while (!(await this.answers())) {
      if (child.exitCode !== null || performance.now() > limit) throw new Error('anvil did not start');
      await pause(50);
    }
  }

  private answers(): Promise<boolean> {
    return this.ask('eth_chainId').then(
      () => true,
      () => false,
    );
  }
}

const answer = z.object({ result: z.unknown(), error: z.object({ message: z.string() }).optional() });

const written = z.object({ accounts: z.record(z.string(), z.object({ nonce: z.int() })) });

/** It may be half written. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The package that holds the program for this machine, past a wrapper that would start a process of its own. */
function programPath(): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const holder = `@foundry-rs/anvil-${process.platform}-${architecture}/package.json`;
  return path.join(path.dirname(require.resolve(holder)), 'bin', 'anvil');
}

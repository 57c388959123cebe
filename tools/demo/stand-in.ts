import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { waitFor } from '../services/wait';
import { Child, type ChildOptions } from './child';

const START_LIMIT_MS = 20_000;
const announcement = z.object({ provider: z.literal('stripe'), url: z.url() });

/** The payment provider's stand-in: a process of its own that remembers every charge, reached over HTTP alone. */
export class PaymentProvider {
  private constructor(
    readonly url: string,
    private readonly child: Child,
  ) {}

  static async start(options: Omit<ChildOptions, 'name' | 'args'>): Promise<PaymentProvider> {
    const args = ['--import', 'tsx', 'test/support/sandbox/main.ts', '--stripe', '0'];
    const child = Child.start({ ...options, name: 'stand-in', args });
    let url: string | undefined;
    try {
      await waitFor('the payment provider', START_LIMIT_MS, () => {
        url = announcedUrl(options.logFile);
        if (url === undefined && !child.running) throw new Error(`it did not start, see ${options.logFile}`);
        return url !== undefined;
      });
    } catch (error) {
      await child.stop();
      throw error;
    }
    return new PaymentProvider(url ?? '', child);
  }

  get pids(): number[] {
    return this.child.pid === undefined ? [] : [this.child.pid];
  }

  /** Asks for something to go wrong with the charges to come. */
  addFault(fault: Record<string, unknown>): Promise<void> {
    return this.control('POST', { match: { method: 'POST', path: '/v1/payment_intents' }, ...fault });
  }

  /** From now on all goes well. */
  clearFaults(): Promise<void> {
    return this.control('DELETE', {});
  }

  async stop(): Promise<void> {
    await this.child.stop();
  }

  private async control(method: 'POST' | 'DELETE', body: Record<string, unknown>): Promise<void> {
    const answer = await fetch(new URL('/_sandbox/faults', this.url), {
      method,
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(5_000),
    });
    if (!answer.ok) throw new Error(`the stand-in refuses: ${answer.status} ${await answer.text()}`);
  }
}

/** The last whole line in which it told where it listens. */
function announcedUrl(logFile: string): string | undefined {
  const lines = readFileSync(logFile, 'utf8').split('\n').slice(0, -1);
  const announced = lines.findLast((line) => line.startsWith('{'));
  return announced === undefined ? undefined : announcement.parse(JSON.parse(announced)).url;
}

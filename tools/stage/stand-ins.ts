import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { waitFor } from '../services/wait';
import { Child, type ChildOptions } from './child';

const START_LIMIT_MS = 20_000;
const PROVIDERS = ['stripe', 'sendgrid', 'fcm'] as const;
const announcement = z.object({ provider: z.enum(PROVIDERS), url: z.url() });
type Urls = Record<(typeof PROVIDERS)[number], string>;

/** One provider's stand-in, as others see it: over HTTP alone. */
export class StandIn {
  constructor(
    readonly url: string,
    /** Where what is asked of the provider goes. */
    private readonly path: string,
  ) {}

  /** Asks for something to go wrong with what is to come. */
  addFault(fault: Record<string, unknown>): Promise<void> {
    return this.control('POST', { match: { method: 'POST', path: this.path }, ...fault });
  }

  /** From now on all goes well. */
  clearFaults(): Promise<void> {
    return this.control('DELETE', {});
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

/** The providers' stand-ins: a process of its own that remembers every charge, mail and notification. */
export class StandIns {
  private constructor(
    readonly payments: StandIn,
    readonly mails: StandIn,
    readonly notifications: StandIn,
    private readonly child: Child,
  ) {}

  /** @param webhooksTo the address of the service's endpoints for webhooks, to be told what happens */
  static async start(
    options: Omit<ChildOptions, 'name' | 'args'> & { logFile: string },
    webhooksTo?: string,
  ): Promise<StandIns> {
    const ports = PROVIDERS.flatMap((provider) => [`--${provider}`, '0']);
    const webhooks = webhooksTo === undefined ? [] : ['--webhooks-to', webhooksTo];
    const args = ['--import', 'tsx', 'test/support/sandbox/main.ts', ...ports, ...webhooks];
    const child = Child.start({ ...options, name: 'stand-ins', args });
    try {
      const urls = await announcedBy(child, options.logFile);
      return new StandIns(
        new StandIn(urls.stripe, '/v1/payment_intents'),
        new StandIn(urls.sendgrid, '/v3/mail/send'),
        new StandIn(urls.fcm, '/v1/projects'),
        child,
      );
    } catch (error) {
      await child.stop();
      throw error;
    }
  }

  get pids(): number[] {
    return this.child.pid === undefined ? [] : [this.child.pid];
  }

  async stop(): Promise<void> {
    await this.child.stop();
  }
}

async function announcedBy(child: Child, logFile: string): Promise<Urls> {
  let urls: Partial<Urls> = {};
  await waitFor('the stand-ins of the providers', START_LIMIT_MS, () => {
    urls = announcedIn(logFile);
    const missing = PROVIDERS.some((provider) => urls[provider] === undefined);
    if (missing && !child.running) throw new Error(`they did not start, see ${logFile}`);
    return !missing;
  });
  return { stripe: urls.stripe ?? '', sendgrid: urls.sendgrid ?? '', fcm: urls.fcm ?? '' };
}

/** Where they said that they listen, in whole lines. */
function announcedIn(logFile: string): Partial<Urls> {
  const lines = readFileSync(logFile, 'utf8').split('\n').slice(0, -1);
  const announced = lines.filter((line) => line.startsWith('{')).map((line) => announcement.parse(JSON.parse(line)));
  return Object.fromEntries(announced.map(({ provider, url }) => [provider, url]));
}

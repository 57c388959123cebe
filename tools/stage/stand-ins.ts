import { announcedBy } from './announcements';
import { Child, type ChildOptions } from './child';

const START_LIMIT_MS = 20_000;
const PROVIDERS = ['stripe', 'sendgrid', 'fcm'] as const;

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
      const { logFile } = options;
      const announced = await announcedBy(child, { logFile, names: PROVIDERS, limitMs: START_LIMIT_MS });
      return new StandIns(
        new StandIn(announced('stripe').url, '/v1/payment_intents'),
        new StandIn(announced('sendgrid').url, '/v3/mail/send'),
        new StandIn(announced('fcm').url, '/v1/projects'),
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

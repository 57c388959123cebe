import type { Logger } from './logger';
import { describeError } from './logger';
import { within } from './time';

/** A part with a beginning and an end. `start` may be left out; `stop` is safe without a start, and after a failed one. */
export interface Component {
  name: string;
  start?: () => Promise<void>;
  stop?: () => Promise<void>;
  /** A look at the server that the part stands on: rejects when that cannot be used. */
  health?: { of: 'database' | 'redis' | 'broker'; check: () => Promise<unknown> };
}

/**
 * Starts parts in order and stops them in reverse: all of them, since many hold a connection from their construction on.
 * A failed start stops everything, then rethrows. One part that cannot stop in time does not keep the others from
 * stopping.
 */
export class Lifecycle {
  private stopping: Promise<void> | undefined;

  constructor(
    private readonly components: Component[],
    private readonly log: Logger,
    private readonly stopTimeoutMs: number,
  ) {}

  async start(): Promise<void> {
    for (const component of this.components) {
      if (this.stopping) return;
      try {
        await component.start?.();
      } catch (error) {
        this.log.error('start failed', { component: component.name, error: describeError(error) });
        await this.stop();
        throw error;
      }
    }
  }

  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  private async stopAll(): Promise<void> {
    for (const component of this.components.toReversed()) {
      try {
        await within(this.stopTimeoutMs, `stopping ${component.name}`, component.stop?.() ?? Promise.resolve());
      } catch (error) {
        this.log.error('stop failed', { component: component.name, error: describeError(error) });
      }
    }
  }
}

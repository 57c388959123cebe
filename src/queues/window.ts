import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import { Loop } from '../platform/time';

export interface WindowSteps {
  /** Jobs that Redis holds. */
  size: () => Promise<number>;
  /** How many of them will not be due for long. */
  sizeOfLater: () => Promise<number>;
  /** Whether jobs wait in PostgreSQL already; new ones queue up behind them. */
  anyWaiting: () => Promise<boolean>;
}

const REFRESH_MS = 1_000;

/**
 * How many jobs Redis may hold at the same time, so that a backlog of any length costs it a bounded amount of memory. An
 * estimate, refreshed every second: what this process lets in meanwhile is counted, what others let in is not.
 *
 * Jobs that will not be due for long have as much room again beside it: a campaign for tomorrow must not keep back what is
 * to be done today. Beyond that they count: what bounds the memory of a Redis may not depend on when its jobs are due.
 */
export class QueueWindow {
  private room: number;
  private readonly loop: Loop;

  constructor(
    private readonly steps: WindowSteps,
    private readonly limit: number,
    log: Logger,
  ) {
    this.room = limit;
    this.loop = new Loop(
      () => this.refresh(),
      REFRESH_MS,
      (error) => log.warn('queue window not refreshed', { error: describeError(error) }),
    );
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  get isFull(): boolean {
    return this.room <= 0;
  }

  /** Takes room for `count` jobs, all or none. */
  take(count: number): boolean {
    if (this.room < count) return false;
    this.room -= count;
    return true;
  }

  /** Takes room for `count` jobs, whether or not there is so much: a last batch may go beyond the limit. */
  takeAnyway(count: number): void {
    this.room -= count;
  }

  private async refresh(): Promise<void> {
    const { size, sizeOfLater, anyWaiting } = this.steps;
    const [held, later, waiting] = await Promise.all([size(), sizeOfLater(), anyWaiting()]);
    this.room = waiting ? 0 : Math.max(0, this.limit - held + Math.min(later, this.limit));
  }
}

import { UnavailableError } from './unavailable';

/** Resolves after `ms`, or at once when the signal aborts; never rejects. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    if (signal?.aborted) finish();
    else signal?.addEventListener('abort', finish, { once: true });
  });
}

/** Rejects with a TimeoutError when `work` has not settled after `ms`. The work itself is not stopped. */
export function within<Value>(ms: number, what: string, work: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new TimeoutError(`${what} took longer than ${ms} ms`)), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/**
 * Like `Promise.allSettled`, but after `ms` it answers with what there is: work that has not settled by then counts as
 * rejected. One timer for all, since a timer for each would cost more than the work.
 */
export function allSettledWithin<Value>(
  ms: number,
  what: string,
  works: Promise<Value>[],
): Promise<{ results: PromiseSettledResult<Value>[]; late: boolean }> {
  return new Promise((resolve) => {
    const results = works.map((): PromiseSettledResult<Value> | undefined => undefined);
    const finish = (late: boolean): void => {
      clearTimeout(timer);
      const reason = new TimeoutError(`${what} took longer than ${ms} ms`);
      resolve({ results: results.map((result) => result ?? { status: 'rejected', reason }), late });
    };
    const timer = setTimeout(() => finish(true), ms);
    let open = works.length;
    const settle = (index: number, result: PromiseSettledResult<Value>): void => {
      results[index] = result;
      open -= 1;
      if (open === 0) finish(false);
    };
    works.forEach((work, index) => {
      work.then(
        (value) => settle(index, { status: 'fulfilled', value }),
        (reason: unknown) => settle(index, { status: 'rejected', reason }),
      );
    });
    if (open === 0) finish(false);
  });
}

export class TimeoutError extends UnavailableError {
  override name = 'TimeoutError';
}

/** "Full jitter": a random share of the exponential step, so that a crowd that failed together does not return together. */
export function exponentialBackoffMs(attempt: number, baseMs: number, capMs: number = Number.MAX_SAFE_INTEGER): number {
  const step = Math.min(capMs, baseMs * 2 ** Math.max(0, attempt - 1));
  return Math.round(step / 2 + (Math.random() * step) / 2);
}

/** Calls `task` every `everyMs` after its last end, until stopped; errors go to `onError` and do not end the loop. */
export class Loop {
  private readonly stopping = new AbortController();
  private wake = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly task: () => Promise<unknown>,
    private readonly everyMs: number,
    private readonly onError: (error: unknown) => void,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  /** Ends the present pause early. A call during a run makes the next run follow at once. */
  poke(): void {
    this.wake.abort();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.wake = new AbortController();
      try {
        await this.task();
      } catch (error) {
        this.onError(error);
      }
      if (!this.stopping.signal.aborted) await pause(this.everyMs, this.wake.signal);
    }
  }
}

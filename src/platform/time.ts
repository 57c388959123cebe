import { setTimeout as delay } from 'node:timers/promises';

/** Resolves after `ms`, or at once when the signal aborts; never rejects. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
}

/** Rejects with a TimeoutError when `work` has not settled after `ms`. The work itself is not stopped. */
export async function within<Value>(ms: number, what: string, work: Promise<Value>): Promise<Value> {
  const stop = new AbortController();
  const late = delay(ms, undefined, { signal: stop.signal }).then(() => {
    throw new TimeoutError(`${what} took longer than ${ms} ms`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    stop.abort();
    late.catch(() => undefined);
  }
}

export class TimeoutError extends Error {
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

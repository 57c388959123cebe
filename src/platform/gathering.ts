import { pause } from './time';

/** Nobody waits for longer than this for others to come. */
const WAIT_MS = 5;
/** Fewer are not worth a wait. */
const WORTH_WAITING_FOR = 3;
/** So many are a good batch already. */
const ENOUGH = 16;
/** What the gap between two is taken to be before any have come. */
const LONG_MS = 1_000;

/**
 * Whether a batch that could go now waits a moment for others. Small batches cost nearly as much as larger ones, and where
 * items come quickly a few milliseconds make them several times as large; where they come one by one a wait would be for
 * nothing, and there is none.
 */
export class Gathering {
  private gapMs = LONG_MS;
  private lastAt = 0;

  /** @param waiting how many there are by now */
  async wait(waiting: number): Promise<void> {
    if (waiting < ENOUGH && WAIT_MS / this.gapMs >= WORTH_WAITING_FOR) await pause(WAIT_MS);
  }

  /** So many have gone together. */
  note(size: number): void {
    const now = performance.now();
    this.gapMs = (this.gapMs + Math.min(LONG_MS, (now - this.lastAt) / Math.max(1, size))) / 2;
    this.lastAt = now;
  }
}

/** A place that somebody holds until it is given back. */
export type GiveBack = () => void;

interface Waiting {
  take: (giveBack: GiveBack) => void;
}

/**
 * A fixed number of places, and as many that may wait for one, first come first served. What does not find room even to
 * wait is told so at once: a crowd of waiters would be a buffer without bounds.
 */
export class Places {
  private taken = 0;
  private readonly waiting = new Set<Waiting>();

  constructor(private readonly size: number) {}

  /** A place if one is free. */
  takeNow(): GiveBack | undefined {
    if (this.taken >= this.size) return undefined;
    this.taken += 1;
    return this.once();
  }

  /** A place as soon as one is free; undefined after `ms`, or at once when too many wait already. */
  take(ms: number): Promise<GiveBack | undefined> {
    const free = this.takeNow();
    if (free || this.waiting.size >= this.size) return Promise.resolve(free);
    return new Promise((resolve) => {
      const waiter: Waiting = {
        take: (giveBack) => {
          clearTimeout(timer);
          resolve(giveBack);
        },
      };
      const timer = setTimeout(() => {
        this.waiting.delete(waiter);
        resolve(undefined);
      }, ms);
      this.waiting.add(waiter);
    });
  }

  /** A place that is given back goes to whoever waits longest. */
  private once(): GiveBack {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const [next] = this.waiting;
      if (next) {
        this.waiting.delete(next);
        next.take(this.once());
      } else this.taken -= 1;
    };
  }
}

/** Wakes everybody who waits. Whoever stops waiting leaves nothing behind, however often that happens. */
export class Signal {
  private readonly waiting = new Set<() => void>();

  send(): void {
    for (const wake of this.waiting) wake();
  }

  /** Resolves at the next `send`, or after `ms`; never rejects. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.waiting.add(wake);
    });
  }
}

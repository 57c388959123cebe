/** Lets one suspect run at a time in this process, so that a death of the process can be laid at its door. Shared by all tiers. */
export class SuspectLane {
  private occupants = 0;
  private last: Promise<unknown> = Promise.resolve();

  /** Whether one runs or waits. Whoever finds it so comes back later, instead of holding a slot of its type meanwhile. */
  get busy(): boolean {
    return this.occupants > 0;
  }

  run<Value>(work: () => Promise<Value>): Promise<Value> {
    this.occupants += 1;
    const mine = this.last.then(work, work);
    this.last = mine
      .catch(() => undefined)
      .finally(() => {
        this.occupants -= 1;
      });
    return mine;
  }
}

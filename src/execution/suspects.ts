/** Lets one suspect run at a time in this process, so that a death of the process can be laid at its door. */
export class SuspectLane {
  private last: Promise<unknown> = Promise.resolve();

  run<Value>(work: () => Promise<Value>): Promise<Value> {
    const mine = this.last.then(work, work);
    this.last = mine.catch(() => undefined);
    return mine;
  }
}

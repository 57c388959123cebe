/**
 * Handles at once what arrives while nothing is under way, and together what arrives meanwhile. Not the service's own
 * class: the ceiling must stay where it is when the service changes.
 */
export class NaturalBatches<Item> {
  private waiting: { item: Item; resolve: () => void; reject: (error: unknown) => void }[] = [];
  private busy = false;

  constructor(
    private readonly flush: (items: Item[]) => Promise<void>,
    private readonly most: number,
  ) {}

  submit(item: Item): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (this.busy) return;
      this.busy = true;
      setImmediate(() => void this.work());
    });
  }

  private async work(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, this.most);
      try {
        await this.flush(batch.map(({ item }) => item));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.busy = false;
  }
}

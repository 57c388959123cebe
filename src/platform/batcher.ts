import type { Gathering } from './gathering';

/**
 * Natural batching: an item that arrives while nothing is under way is handled at once; what arrives during a flush
 * forms the next batch. No timer, so an idle system pays no latency and a busy one gets large batches by itself. With a
 * gathering, one between the two waits for larger ones.
 */
export class Batcher<Item, Answer> {
  private waiting: Waiting<Item, Answer>[] = [];
  private flushing = false;

  /**
   * @param flush answers a batch in the order of its items; when it throws, every item of that batch is rejected with
   *   the same error, so it must only throw for what concerns the whole batch.
   */
  constructor(
    private readonly flush: (items: Item[]) => Promise<Answer[]>,
    private readonly maxBatch = 200,
    private readonly gathering?: Gathering,
  ) {}

  submit(item: Item): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (this.flushing) return;
      this.flushing = true;
      // One turn of the event loop lets everything that is ready now join the first batch.
      setImmediate(() => void this.drain());
    });
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0) {
      await this.gathering?.wait(this.waiting.length);
      const batch = this.waiting.splice(0, this.maxBatch);
      this.gathering?.note(batch.length);
      await this.flushOnce(batch);
    }
    this.flushing = false;
  }

  private async flushOnce(batch: Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.flush(batch.map(({ item }) => item));
      if (answers.length !== batch.length) throw new Error(`batch of ${batch.length} got ${answers.length} answers`);
      batch.forEach(({ resolve }, index) => resolve(answers[index] as Answer)); // lengths are equal: checked above
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}

interface Waiting<Item, Answer> {
  item: Item;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

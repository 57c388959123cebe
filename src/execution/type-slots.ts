/**
 * How many jobs of a type one process runs at the same time. As many again may wait on deck, so that a freed slot is
 * taken at once; whoever comes beyond that is sent away and gives its place in the queue's worker back.
 */
export class TypeSlots {
  private readonly types = new Map<string, { running: number; onDeck: (() => void)[] }>();

  constructor(private readonly limitOf: (type: string) => number) {}

  /** Resolves with the release of a slot, or with undefined at once when there is neither a slot nor a place on deck. */
  async acquire(type: string): Promise<(() => void) | undefined> {
    const limit = this.limitOf(type);
    const slots = this.types.get(type) ?? { running: 0, onDeck: [] };
    this.types.set(type, slots);
    if (slots.running < limit) slots.running += 1;
    else if (slots.onDeck.length < limit) await new Promise<void>((resolve) => slots.onDeck.push(resolve));
    else return undefined;
    return () => {
      const next = slots.onDeck.shift();
      // A slot that is handed on stays taken.
      if (next) next();
      else slots.running -= 1;
    };
  }
}

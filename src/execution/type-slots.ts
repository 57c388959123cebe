interface Slots {
  running: number;
  onDeck: (() => void)[];
}

/**
 * How many jobs of a type one process runs at the same time. As many again may wait on deck, so that a freed slot is
 * taken at once; whoever comes beyond that is sent away and gives its place in the queue's worker back.
 */
export class TypeSlots {
  private readonly types = new Map<string, Slots>();

  constructor(private readonly limitOf: (type: string) => number) {}

  /** Resolves with the release of a slot, or with undefined at once when there is neither a slot nor a place on deck. */
  async acquire(type: string): Promise<(() => void) | undefined> {
    const free = this.take(type);
    if (free) return free;
    const slots = this.slotsOf(type);
    if (slots.onDeck.length >= this.limitOf(type)) return undefined;
    await new Promise<void>((resolve) => slots.onDeck.push(resolve));
    return () => handOn(slots);
  }

  /** The release of a free slot; undefined when there is none. */
  take(type: string): (() => void) | undefined {
    const slots = this.slotsOf(type);
    if (slots.running >= this.limitOf(type)) return undefined;
    slots.running += 1;
    return () => handOn(slots);
  }

  private slotsOf(type: string): Slots {
    const slots = this.types.get(type) ?? { running: 0, onDeck: [] };
    this.types.set(type, slots);
    return slots;
  }
}

function handOn(slots: Slots): void {
  const next = slots.onDeck.shift();
  // A slot that is handed on stays taken.
  if (next) next();
  else slots.running -= 1;
}

import type { ConsumeMessage } from 'amqplib';

/**
 * Acknowledges what one channel delivered in as few frames as possible: all that is acknowledged in one turn of the event
 * loop goes together, and one frame does for whatever has nothing unacknowledged before it.
 */
export class Acknowledgements {
  /** The channel numbers its deliveries from 1; all up to this one are acknowledged. */
  private through = 0;
  /** Acknowledged as well, each by itself, though an earlier one is not. */
  private readonly ahead = new Set<number>();
  private readonly waiting = new Map<number, ConsumeMessage>();

  /** @param send is not called for what has been sent already */
  constructor(private readonly send: (message: ConsumeMessage, allUpTo: boolean) => void) {}

  add(message: ConsumeMessage): void {
    this.waiting.set(message.fields.deliveryTag, message);
    if (this.waiting.size === 1) process.nextTick(() => this.flush());
  }

  flush(): void {
    const last = this.advance();
    if (last) this.send(last, true);
    for (const [tag, message] of this.waiting) {
      this.ahead.add(tag);
      this.send(message, false);
    }
    this.waiting.clear();
  }

  /** Answers with the last one that waits and has all others before it acknowledged, or waiting as well. */
  private advance(): ConsumeMessage | undefined {
    let last: ConsumeMessage | undefined;
    for (let tag = this.through + 1; ; tag += 1) {
      const message = this.waiting.get(tag);
      if (!message && !this.ahead.has(tag)) return last;
      last = message ?? last;
      this.waiting.delete(tag);
      this.ahead.delete(tag);
      this.through = tag;
    }
  }
}

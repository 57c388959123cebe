/**
 * Idempotency keys ("Idempotency", developer.squareup.com/docs/build-basics/common-api-patterns/idempotency): the first
 * answer is given again; another request under the key is an error. What is said of a key whose request is still being
 * carried out Square does not document: CONFLICT is its only code that fits.
 */
import type { SandboxReply } from '../http';
import { invalid } from './errors';

interface Entry {
  fingerprint: string;
  reply: SandboxReply | undefined;
}

/** The key is the caller's: it must be finished with the answer to keep, or given up. */
export interface TakenKey {
  finish(reply: SandboxReply): void;
  giveUp(): void;
}

export class IdempotencyKeys {
  readonly #entries = new Map<string, Entry>();

  /** Either the key, taken, or the answer that it has already. */
  take(key: string, fingerprint: string): TakenKey | SandboxReply {
    const known = this.#entries.get(key);
    if (known) {
      if (known.fingerprint !== fingerprint) {
        return invalid('IDEMPOTENCY_KEY_REUSED', 'The idempotency key can only be retried with the same request data.');
      }
      return known.reply ?? invalid('CONFLICT', 'A request with this idempotency key is being carried out.', 409);
    }
    const entry: Entry = { fingerprint, reply: undefined };
    this.#entries.set(key, entry);
    return {
      finish: (reply) => {
        entry.reply = reply;
      },
      giveUp: () => void this.#entries.delete(key),
    };
  }

  /** As if Square remembered no longer. A request that is still running keeps its key. */
  expire(): void {
    for (const [key, { reply }] of this.#entries) if (reply) this.#entries.delete(key);
  }
}

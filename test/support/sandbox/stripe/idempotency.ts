/**
 * Idempotency keys of API v1 ("Idempotent requests", docs.stripe.com/api/idempotent_requests): the first answer given
 * after execution began is kept, whatever it was, and repeated; a request that failed validation leaves no trace.
 */
import type { SandboxReply } from '../http';
import { errorReply } from './errors';

interface Entry {
  path: string;
  fingerprint: string;
  requestId: string;
  reply: SandboxReply | undefined;
}

/** A request that comes with a key. */
interface Asked {
  path: string;
  parameters: string;
  requestId: string;
}

/** The key is the caller's: it must be finished with the answer to keep, or given up. */
export interface TakenKey {
  finish(reply: SandboxReply): void;
  giveUp(): void;
}

export class IdempotencyKeys {
  readonly #entries = new Map<string, Entry>();

  /** Either the key, taken, or the answer that it has already. Every account has keys of its own. */
  take(key: string, account: string, { path, parameters, requestId }: Asked): TakenKey | SandboxReply {
    if (key.length > 255) {
      const message = 'Idempotency keys must be at most 255 characters long.';
      return errorReply(400, { type: 'invalid_request_error', message });
    }
    const place = `${account} ${key}`;
    const known = this.#entries.get(place);
    if (known) return repeat(key, known, path, fingerprintOf(parameters));
    const entry: Entry = { path, fingerprint: fingerprintOf(parameters), requestId, reply: undefined };
    this.#entries.set(place, entry);
    return {
      finish: (reply) => {
        entry.reply = reply;
      },
      giveUp: () => {
        this.#entries.delete(place);
      },
    };
  }

  /** As if a day had passed. A request that is still running keeps its key. */
  expire(): void {
    for (const [place, { reply }] of this.#entries) if (reply) this.#entries.delete(place);
  }
}

function repeat(key: string, known: Entry, path: string, fingerprint: string): SandboxReply {
  if (known.path !== path) {
    const message = `Keys for idempotent requests can only be used for the same endpoint they were first used for ('${path}' vs '${known.path}'). Try using a key other than '${key}' if you meant to execute a different request.`;
    return errorReply(400, { type: 'idempotency_error', message });
  }
  if (known.fingerprint !== fingerprint) {
    const message = `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`;
    return errorReply(400, { type: 'idempotency_error', message });
  }
  if (!known.reply) {
    const message = `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Request id: ${known.requestId}. If you made both requests, please try again shortly.`;
    return errorReply(409, { type: 'idempotency_error', code: 'idempotency_key_in_use', message });
  }
  const marks = { 'idempotent-replayed': 'true', 'original-request': known.requestId };
  return { ...known.reply, headers: { ...known.reply.headers, ...marks } };
}

/** Parameters are compared by name and value, not by their order in the body. */
function fingerprintOf(parameters: string): string {
  return parameters.split('&').sort().join('&');
}

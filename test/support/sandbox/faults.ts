/** Faults on demand: what goes wrong, for which requests, and how often. */
import { z } from 'zod';

export const faultSchema = z.strictObject({
  kind: z.enum([
    /** The connection breaks before the request is looked at. */
    'reset-before',
    /** 429 before anything else; not stored under the key. */
    'rate-limit',
    /** 503 before the effect; not stored under the key. */
    'unavailable',
    /** 401 before anything else, as if the key were withdrawn. */
    'unauthorized',
    /** 400 before the effect, as if the provider found fault with what was sent. */
    'bad-request',
    /** Never answered; no effect. */
    'hang',
    /** 500 without the effect, stored under the key as Stripe stores it. */
    'fail-before-effect',
    /** The effect, then 500, stored under the key. */
    'fail-after-effect',
    /** The effect, then the connection breaks; the answer waits under the key. */
    'lose-answer',
    /** The key is held, then `delayMs` later (or when released) the effect and its answer. */
    'slow',
  ]),
  match: z
    .strictObject({
      method: z.string().optional(),
      /** How the path begins. */
      path: z.string().optional(),
      idempotencyKey: z.string().optional(),
      metadata: z.record(z.string(), z.string()).optional(),
    })
    .optional(),
  /** Once, unless `probability` is given: then for every request that the generator picks. */
  times: z.number().int().positive().optional(),
  probability: z.number().min(0).max(1).optional(),
  /** Makes a run with `probability` repeatable. */
  seed: z.number().int().optional(),
  retryAfterSeconds: z.number().int().nonnegative().optional(),
  delayMs: z.number().nonnegative().optional(),
});
export type Fault = z.input<typeof faultSchema>;

/** What a fault may look at in a request. */
export interface FaultTarget {
  method: string;
  path: string;
  idempotencyKey: string | undefined;
  metadata: Record<string, string>;
}

export interface FaultHandle {
  /** How many requests it has hit. */
  hits(): number;
  /** Resolves when it has hit its first request. */
  readonly reached: Promise<void>;
  /** Lets requests held by `slow` go on. */
  release(): void;
  remove(): void;
}

/** A fault that has hit a request. */
export interface ActiveFault {
  kind: Fault['kind'];
  retryAfterSeconds: number;
  /** For `slow`: until the delay has passed or the handle was released. */
  wait(): Promise<void>;
}

export class FaultPlan {
  readonly #faults = new Set<PlannedFault>();

  add(fault: Fault): FaultHandle {
    const planned = new PlannedFault(fault);
    this.#faults.add(planned);
    return {
      hits: () => planned.hits,
      reached: planned.reached.opened,
      release: () => planned.released.open(),
      remove: () => void this.#faults.delete(planned),
    };
  }

  clear(): void {
    for (const planned of this.#faults) planned.released.open();
    this.#faults.clear();
  }

  /** The first fault that hits this request, which is thereby spent once. */
  take(target: FaultTarget): ActiveFault | undefined {
    for (const planned of this.#faults) {
      if (!planned.strikes(target)) continue;
      if (planned.left === 0) this.#faults.delete(planned);
      return {
        kind: planned.fault.kind,
        retryAfterSeconds: planned.fault.retryAfterSeconds ?? 1,
        wait: () => planned.wait(),
      };
    }
    return undefined;
  }
}

class PlannedFault {
  readonly fault: Fault;
  readonly reached = new Gate();
  readonly released = new Gate();
  hits = 0;
  left: number;
  readonly #random: () => number;

  constructor(fault: Fault) {
    this.fault = fault;
    this.left = fault.times ?? (fault.probability === undefined ? 1 : Number.POSITIVE_INFINITY);
    this.#random = seededRandom(fault.seed ?? 1);
  }

  strikes(target: FaultTarget): boolean {
    if (!matches(target, this.fault.match ?? {})) return false;
    if (this.fault.probability !== undefined && this.#random() >= this.fault.probability) return false;
    this.hits += 1;
    this.left -= 1;
    this.reached.open();
    return true;
  }

  async wait(): Promise<void> {
    const { delayMs } = this.fault;
    if (delayMs === undefined) return this.released.opened;
    return new Promise((resolve) => setTimeout(resolve, delayMs));
  }
}

function matches(target: FaultTarget, match: NonNullable<Fault['match']>): boolean {
  return (
    (match.method === undefined || match.method === target.method) &&
    (match.path === undefined || target.path.startsWith(match.path)) &&
    (match.idempotencyKey === undefined || match.idempotencyKey === target.idempotencyKey) &&
    Object.entries(match.metadata ?? {}).every(([name, value]) => target.metadata[name] === value)
  );
}

/** Shut until it is opened once. */
class Gate {
  readonly opened: Promise<void>;
  open: () => void = () => {};

  constructor() {
    this.opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}

/** Mulberry32: small, repeatable, good enough to pick requests. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

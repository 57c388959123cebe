import CircuitBreaker from 'opossum';
import type { SharedCircuit } from './store';

/** What this room needs to know of a provider's answer. */
export interface Answered {
  /**
   * `busy`: it gets too many requests. `down`: it did not answer, or not with sense (no connection, time-out, 5xx).
   * `unheard`: we stopped listening, which says nothing. Whatever else it says, a decline too, shows that it works.
   */
  trouble?: 'busy' | 'down' | 'unheard';
  retryAfterMs?: number;
}

export interface CircuitOptions {
  /** Calls of this process that are looked at: those of the last so many milliseconds. */
  windowMs: number;
  /** Fewer calls than this say nothing. */
  minCalls: number;
  /** More than this share of them down, and the circuit opens. */
  thresholdPercent: number;
}

/** No timer of Node's waits longer. */
const NEVER_MS = 2 ** 31 - 1;

/** What the breaker counts; it never leaves this file. */
class Down extends Error {}

/**
 * The circuit of one provider in this process: opossum judges by this process' own calls when it should open, and what one
 * process has found holds for all. When it may be probed and when it closes is told by the state that all share, which is
 * why the breaker is made anew with every change of it: it starts counting from nothing, and what was called before the
 * change no longer counts.
 */
export class ProviderCircuit {
  private shared: SharedCircuit = { state: 'closed', changes: 0 };
  private breaker: CircuitBreaker<[() => Promise<void>], void>;
  /** This process has opened it, and the others may not know yet. */
  private tripped = false;

  constructor(
    private readonly options: CircuitOptions,
    private readonly onTrip: () => void,
  ) {
    this.breaker = this.create('closed');
  }

  get untold(): boolean {
    return this.tripped;
  }

  /** Follows what all replicas know. */
  adopt(shared: SharedCircuit): void {
    if (shared.changes === this.shared.changes && shared.state === this.shared.state) return;
    this.shared = shared;
    this.tripped = false;
    this.breaker.shutdown();
    // Half open for the one that probes it; for everybody else it is as good as open.
    this.breaker = this.create(shared.state === 'closed' ? 'closed' : 'open');
  }

  /** Calls the provider, and counts how that went; undefined when the circuit has opened in the meantime. */
  call<Answer extends Answered>(ask: () => Promise<Answer>): Promise<Answer | undefined> {
    return through(this.breaker, ask);
  }

  /** The one call that finds out whether the provider works again. */
  async probe<Answer extends Answered>(ask: () => Promise<Answer>): Promise<Answer | undefined> {
    const breaker = this.create('half-open');
    try {
      return await through(breaker, ask);
    } finally {
      breaker.shutdown();
    }
  }

  close(): void {
    this.breaker.shutdown();
  }

  private create(state: SharedCircuit['state']): CircuitBreaker<[() => Promise<void>], void> {
    const { windowMs, minCalls, thresholdPercent } = this.options;
    // By a name of its own, since the types know everything but the state.
    const settings = {
      state: { closed: state === 'closed', halfOpen: state === 'half-open' },
      // Every call has a time limit of its own, and one that is over may still have had its effect.
      timeout: false,
      rollingCountTimeout: windowMs,
      volumeThreshold: minCalls,
      errorThresholdPercentage: thresholdPercent,
      resetTimeout: NEVER_MS,
      errorFilter: (error: unknown) => !(error instanceof Down),
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
    } as const;
    const breaker = new CircuitBreaker<[() => Promise<void>], void>((call) => call(), settings);
    if (state === 'closed') {
      breaker.on('open', () => {
        this.tripped = true;
        this.onTrip();
      });
    }
    return breaker;
  }
}

async function through<Answer extends Answered>(
  breaker: CircuitBreaker<[() => Promise<void>], void>,
  ask: () => Promise<Answer>,
): Promise<Answer | undefined> {
  let answer: Answer | undefined;
  const call = async (): Promise<void> => {
    answer = await ask();
    if (answer.trouble === 'down') throw new Down();
  };
  try {
    await breaker.fire(call);
  } catch (error) {
    const refused = error instanceof Error && CircuitBreaker.isOurError(error);
    if (!refused && !(error instanceof Down)) throw error;
  }
  return answer;
}

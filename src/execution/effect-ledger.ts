import type { CallLimits, DoneAnswer, ProviderAnswer } from '../handlers/handler';
import type { HandlerOutcome } from '../handlers/outcome';
import type { EffectEntry, EffectFact, EffectStart, EffectStartAnswer } from '../jobs/effects';
import type { StartedJob } from '../jobs/start';
import type { Answered } from '../limits/circuit';
import type { Busy, Pass } from '../limits/pass';
import { isUnavailable } from '../platform/postgres/errors';

/** The steps of an effect; composed in service.ts. */
export interface EffectSteps {
  readLedger: (jobId: string) => Promise<EffectEntry[]>;
  /** Commits that the effect is about to be tried. */
  begin: (start: EffectStart) => Promise<EffectStartAnswer>;
  appendFacts: (facts: EffectFact[]) => Promise<void>;
  /** Wraps the call itself, so that a process can be watched (and killed) around it. */
  callProvider: <Answer>(call: () => Promise<Answer>) => Promise<Answer>;
  onLateFact: (fact: EffectFact) => void;
}

/** The attempt ends with this outcome, without another word from the handler. */
export interface Ended {
  kind: 'ended';
  outcome: HandlerOutcome<never>;
}

/** What a provider says, in whatever words. */
type Said = Answered & { kind: string; code?: string };

/** An effect as the ledger knows it. */
type Described = Pick<EffectStart, 'name' | 'intent'>;

/** Time that an attempt keeps for itself: a call ends this much before the attempt does. */
const MARGIN_MS = 1_000;
const MIN_CALL_MS = 1_000;
/** Before the next try, when the ledger cannot be written. */
const LEDGER_PAUSE_MS = 1_000;

/**
 * What one attempt knows of its job's effects and adds to it. Facts travel with the settling transaction; lost with the
 * process, they are found out again. Once the attempt is over, a handler that goes on begins nothing more, and only what
 * certainly happened is still recorded.
 */
export class EffectLedger {
  /** What this attempt learnt and has not written yet. */
  readonly facts: EffectFact[] = [];
  private ledger: Promise<EffectEntry[]> | undefined;
  /** The ledger, as far as it was read, with what this attempt added to it. */
  private readonly known: EffectEntry[] = [];
  private closed = false;

  constructor(
    private readonly job: StartedJob,
    private readonly steps: EffectSteps,
    private readonly attempt: { signal: AbortSignal; endsAt: number; pass: Pass },
  ) {
    if (job.fresh) this.ledger = Promise.resolve(this.known);
  }

  /** An effect of this job may have happened and nobody knows yet. */
  get anyUncertain(): boolean {
    return this.known.some(({ state }) => state === 'started' || state === 'in_doubt');
  }

  /** An effect of this job certainly happened. */
  get anyHappened(): boolean {
    return this.known.some(({ state }) => state === 'done');
  }

  /** An effect of this job was tried and certainly did not happen under any of its numbers. */
  get anyMissing(): boolean {
    const tried = new Set(this.known.map(({ name }) => name));
    for (const { name, state } of this.known) if (state !== 'absent') tried.delete(name);
    return tried.size > 0;
  }

  /** Reads what earlier attempts left: nothing may be decided about the job without it. */
  async load(): Promise<void> {
    await this.read();
  }

  /** The attempt is over and will be decided: whatever its handler still does must not change what that rests on. */
  close(): void {
    this.closed = true;
  }

  /** The try of an effect that counts: one that happened, as may be learnt late; or else the last that may have. */
  async latest(name: string): Promise<EffectEntry | undefined> {
    const tries = (await this.read()).filter((entry) => entry.name === name);
    return (
      tries.find(({ state }) => state === 'done') ?? tries.findLast(({ state }) => state !== 'absent') ?? tries.at(-1)
    );
  }

  /** Stable for the life of the effect, and different for every other one. */
  providerKey(name: string, number: number): string {
    return `${this.job.jobId}:${name}:${number}`;
  }

  /** What a call that begins now may take. */
  private limits(): CallLimits {
    const timeoutMs = Math.max(MIN_CALL_MS, Math.floor(this.attempt.endsAt - performance.now() - MARGIN_MS));
    return { timeoutMs, signal: this.attempt.signal };
  }

  /**
   * Begins the effect, committed, and calls; or says how the attempt ends when it may not.
   * @param first whether this number was never tried
   */
  async call<Answer extends ProviderAnswer<unknown> & Said>(
    effect: Described,
    number: number,
    first: boolean,
    ask: (limits: CallLimits) => Promise<Answer>,
  ): Promise<Answer | Busy | Ended> {
    if (this.isOver()) return ended(OVER);
    const waitMs = await this.attempt.pass.pay(1);
    if (waitMs !== undefined) return tooSoon({ retryAfterMs: waitMs });
    const limits = this.limits();
    const refusal = await this.begin(effect, number, limits.timeoutMs);
    if (refusal) return ended(refusal);
    if (this.isOver()) {
      // Nothing was sent.
      if (first) this.record(effect.name, number, 'absent');
      return ended(OVER);
    }
    return this.steps.callProvider(() => this.attempt.pass.call(() => ask(limits)));
  }

  /** Asks the provider what became of an effect; or says how the attempt ends when it must not be asked now. */
  async look<Answer extends Said>(ask: (limits: CallLimits) => Promise<Answer>): Promise<Answer | Ended> {
    const { pass } = this.attempt;
    // Together with the call that may follow: whoever found out that nothing happened must not have to ask again.
    const waitMs = (await pass.reserve(LOOKUP_REQUESTS + 1)) ?? (await pass.pay(LOOKUP_REQUESTS));
    if (waitMs !== undefined) return tooSoon({ retryAfterMs: waitMs });
    const answer = await pass.call(() => ask(this.limits()));
    return isBusy(answer) ? tooSoon(answer) : answer;
  }

  record(name: string, number: number, state: EffectFact['state'], reference?: string, value?: unknown): void {
    const fact = this.fact(name, number, state, reference, value);
    if (this.closed) {
      // Its decision is made; that it happened must be known all the same.
      if (state === 'done') this.steps.onLateFact(fact);
      return;
    }
    this.facts.push(fact);
    const entry = this.known.find((one) => one.name === name && one.number === number);
    if (entry) Object.assign(entry, { state, value, reference: reference ?? entry.reference });
  }

  /** An answer that came after its call had been given up. */
  keepLate(name: string, number: number, answer: DoneAnswer<unknown>): void {
    this.steps.onLateFact(this.fact(name, number, 'done', answer.reference, answer.value));
  }

  private read(): Promise<EffectEntry[]> {
    this.ledger ??= this.steps.readLedger(this.job.jobId).then((entries) => {
      this.known.push(...entries);
      return this.known;
    });
    return this.ledger;
  }

  /** Commits that the effect is about to be tried; answers with how the attempt ends if it may not be. */
  private async begin(
    effect: Described,
    number: number,
    timeoutMs: number,
  ): Promise<HandlerOutcome<never> | undefined> {
    // Uncertain from before the commit on: the attempt may be over, and be decided, while it is under way.
    const { entry, forget } = this.noteStarted(effect.name, number, timeoutMs);
    try {
      await this.flushFacts();
      const answer = await this.steps.begin(this.startOf(effect, entry, timeoutMs));
      if (answer === 'fenced') return FENCED;
      if (answer === 'begun') {
        entry.calls += 1;
        return undefined;
      }
      forget();
      return { kind: 'cancelled' };
    } catch (error) {
      // Nothing was sent, and it is not the job's fault: no attempt is spent. It may have been committed all the same.
      if (isUnavailable(error)) return { kind: 'snooze', code: 'LEDGER_UNAVAILABLE', afterMs: LEDGER_PAUSE_MS };
      forget();
      throw error;
    }
  }

  private noteStarted(name: string, number: number, timeoutMs: number): { entry: EffectEntry; forget: () => void } {
    const known = this.known.find((one) => one.name === name && one.number === number);
    if (known) return { entry: known, forget: () => undefined };
    const entry: EffectEntry = {
      name,
      number,
      providerKey: this.providerKey(name, number),
      state: 'started',
      calls: 0,
      value: undefined,
      reference: undefined,
      ageMs: 0,
      overForMs: -timeoutMs,
    };
    this.known.push(entry);
    return { entry, forget: () => void this.known.splice(this.known.indexOf(entry), 1) };
  }

  /** What is already known must be in the ledger before something new begins. */
  private async flushFacts(): Promise<void> {
    const facts = [...this.facts];
    await this.steps.appendFacts(facts);
    this.facts.splice(0, facts.length);
  }

  private startOf(
    { name, intent }: Described,
    { number, providerKey, calls }: EffectEntry,
    timeoutMs: number,
  ): EffectStart {
    const { jobId, token, generation } = this.job;
    return { jobId, token, generation, name, number, intent, timeoutMs, providerKey, callsBefore: calls };
  }

  private fact(
    name: string,
    number: number,
    state: EffectFact['state'],
    reference?: string,
    value?: unknown,
  ): EffectFact {
    return { jobId: this.job.jobId, token: this.job.token, name, number, state, reference, value };
  }

  /** By the clock too: the timer that aborts may be late where the event loop is busy. */
  private isOver(): boolean {
    return this.closed || this.attempt.signal.aborted || performance.now() >= this.attempt.endsAt;
  }
}

/** A lookup rarely is one request: what a search found is read as well. */
const LOOKUP_REQUESTS = 2;
/** Until it is asked again, when a provider that gets too much does not say how long. */
const BUSY_PAUSE_MS = 1_000;

/** The limits of the provider's account, or its being down, are no failure of the job: no attempt is spent. */
function tooSoon({ code, retryAfterMs = BUSY_PAUSE_MS }: { code?: string; retryAfterMs?: number }): Ended {
  return ended({ kind: 'snooze', code: code ?? 'RATE_LIMITED', afterMs: retryAfterMs });
}

function isBusy(answer: Said): answer is Said & { trouble: 'busy' } {
  return answer.trouble === 'busy';
}

/** Somebody else has begun it, or runs the job now: what became of it is for the next attempt to find in the ledger. */
const FENCED: HandlerOutcome<never> = { kind: 'snooze', code: 'FENCED', afterMs: LEDGER_PAUSE_MS };

/** The attempt's time is over, or the process stops: a new effect must not begin. */
const OVER: HandlerOutcome<never> = { kind: 'retry', code: 'TIMEOUT', message: 'the attempt was told to stop' };

export function ended(outcome: HandlerOutcome<never>): Ended {
  return { kind: 'ended', outcome };
}

/** Nothing happened, and a later try may succeed. */
export function tryLater(answer: Extract<ProviderAnswer<never>, { kind: 'refused' }>): Ended {
  if (isBusy(answer)) return tooSoon(answer);
  const { code, message, retryAfterMs } = answer;
  return ended({ kind: 'retry', code, message, ...(retryAfterMs === undefined ? {} : { afterMs: retryAfterMs }) });
}

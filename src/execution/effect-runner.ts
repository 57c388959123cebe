import type { EffectResult, Effects, KeyedEffect, ProviderAnswer } from '../handlers/handler';
import type { HandlerOutcome } from '../handlers/outcome';
import type { EffectEntry, EffectFact, EffectStart, EffectStartAnswer } from '../jobs/effects';
import type { StartedJob } from '../jobs/start';
import { isUnavailable } from '../platform/postgres/errors';

/** The steps of an effect; composed in service.ts. */
export interface EffectSteps {
  readLedger: (jobId: string) => Promise<EffectEntry[]>;
  /** Commits that the effect is about to be tried. */
  begin: (start: EffectStart) => Promise<EffectStartAnswer>;
  appendFacts: (facts: EffectFact[]) => Promise<void>;
  /** Wraps the call itself, so that a process can be watched (and killed) around it. */
  callProvider: <Value>(call: () => Promise<ProviderAnswer<Value>>) => Promise<ProviderAnswer<Value>>;
  onLateFact: (fact: EffectFact) => void;
}

/** Time that an attempt keeps for itself: a call ends this much before the attempt does. */
const MARGIN_MS = 1_000;
const MIN_CALL_MS = 1_000;
/** A key is not used in the last part of its window: the provider's clock is not ours. */
const WINDOW_MARGIN_MS = 60 * 60 * 1_000;
/** Before the next try, when the ledger cannot be written. */
const LEDGER_PAUSE_MS = 1_000;

/**
 * The effects of one attempt. For each: what does the ledger know → begin (committed) → call → fact.
 *
 * Killed before `begin` committed: nothing was sent. After: the next attempt finds `started` and asks again with the same
 * key, or, when the provider may have forgotten the key or repeats a stored failure, asks whether it happened. Facts
 * travel with the settling transaction; lost with the process, they are asked for again. Once the attempt is over, a
 * handler that goes on begins nothing more, and only what certainly happened is still recorded.
 */
export class EffectRunner implements Effects {
  /** What this attempt learnt and has not written yet. */
  readonly facts: EffectFact[] = [];
  private ledger: Promise<EffectEntry[]> | undefined;
  /** The ledger, as far as it was read, with what this attempt added to it. */
  private readonly known: EffectEntry[] = [];
  private closed = false;

  constructor(
    private readonly job: StartedJob,
    private readonly steps: EffectSteps,
    private readonly attempt: { signal: AbortSignal; endsAt: number },
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

  /** Reads what earlier attempts left: nothing may be decided about the job without it. */
  async load(): Promise<void> {
    await this.read();
  }

  /** The attempt is over and will be decided: whatever its handler still does must not change what that rests on. */
  close(): void {
    this.closed = true;
  }

  async perform<Value>(effect: KeyedEffect<Value>): Promise<EffectResult<Value>> {
    const last = (await this.read()).filter((entry) => entry.name === effect.name).at(-1);
    if (!last || last.state === 'absent') return this.tryOnce(effect, (last?.number ?? 0) + 1, true);
    if (last.state === 'done') return this.recall(effect, last);
    const keyIsGood = last.state === 'started' && last.ageMs < effect.keyWindowMs - WINDOW_MARGIN_MS;
    return keyIsGood ? this.tryOnce(effect, last.number, false) : this.reconcile(effect, last);
  }

  private read(): Promise<EffectEntry[]> {
    this.ledger ??= this.steps.readLedger(this.job.jobId).then((entries) => {
      this.known.push(...entries);
      return this.known;
    });
    return this.ledger;
  }

  private recall<Value>(effect: KeyedEffect<Value>, entry: EffectEntry): EffectResult<Value> {
    const value = effect.value.safeParse(entry.value);
    if (value.success) return { kind: 'done', value: value.data, reference: entry.reference ?? '' };
    return ended({ kind: 'inDoubt', code: 'LEDGER_UNREADABLE', message: 'the recorded effect cannot be read' });
  }

  /** @param first whether this number was never tried: only then does "refused" prove that nothing happened */
  private async tryOnce<Value>(
    effect: KeyedEffect<Value>,
    number: number,
    first: boolean,
  ): Promise<EffectResult<Value>> {
    if (this.isOver()) return ended(OVER);
    const timeoutMs = this.timeLeft();
    const refusal = await this.begin(effect, number, timeoutMs);
    if (refusal) return ended(refusal);
    if (this.isOver()) {
      // Nothing was sent.
      if (first) this.record(effect.name, number, 'absent');
      return ended(OVER);
    }
    const providerKey = this.providerKey(effect.name, number);
    const answer = await this.steps.callProvider(() =>
      effect.call(providerKey, {
        timeoutMs,
        signal: this.attempt.signal,
        onLateAnswer: (late) => this.keepLate(effect, number, late),
      }),
    );
    return this.conclude(effect, number, answer, first);
  }

  private conclude<Value>(
    effect: KeyedEffect<Value>,
    number: number,
    answer: ProviderAnswer<Value>,
    first: boolean,
  ): EffectResult<Value> {
    switch (answer.kind) {
      case 'done':
        this.record(effect.name, number, 'done', answer.reference, answer.value);
        return answer;
      case 'declined':
        // Another account's key, say, is refused before anybody looks for what an earlier call did.
        if (!first && !answer.aboutKey) return this.askLater(effect, number, answer);
        this.record(effect.name, number, 'absent', answer.reference);
        return answer;
      case 'refused':
        if (first) this.record(effect.name, number, 'absent');
        return ended({
          ...answer,
          kind: 'retry',
          ...(answer.retryAfterMs === undefined ? {} : { afterMs: answer.retryAfterMs }),
        });
      case 'action':
        this.record(effect.name, number, 'in_doubt', answer.reference);
        return ended({ kind: 'attention', code: answer.code, message: answer.message });
      case 'unknown':
        if (answer.replayed) this.record(effect.name, number, 'in_doubt');
        return ended({ kind: 'retry', code: answer.code, message: answer.message });
    }
  }

  /** Its key can tell nothing more: the next attempt asks whether the effect happened. */
  private askLater<Value>(
    effect: KeyedEffect<Value>,
    number: number,
    { code, message }: { code: string; message: string },
  ): EffectResult<Value> {
    this.record(effect.name, number, 'in_doubt');
    return ended({ kind: 'retry', code, message });
  }

  /** Asks the provider whether the effect happened. "Absent" counts only once the call is over and the search is fresh. */
  private async reconcile<Value>(effect: KeyedEffect<Value>, last: EffectEntry): Promise<EffectResult<Value>> {
    const found = await effect.find(last.providerKey, { timeoutMs: this.timeLeft(), signal: this.attempt.signal });
    switch (found.kind) {
      case 'done':
        this.record(effect.name, last.number, 'done', found.reference, found.value);
        return found;
      case 'action':
        return ended({ kind: 'attention', code: found.code, message: found.message });
      case 'unknown':
        return ended({ kind: 'retry', code: found.code, message: found.message });
      case 'absent': {
        const freshInMs = effect.searchLagMs - last.overForMs;
        if (freshInMs > 0) return ended({ kind: 'snooze', code: 'AWAITING_SEARCH', afterMs: Math.ceil(freshInMs) });
        this.record(effect.name, last.number, 'absent');
        return this.tryOnce(effect, last.number + 1, true);
      }
    }
  }

  /** Commits that the effect is about to be tried; answers with how the attempt ends if it may not be. */
  private async begin<Value>(
    effect: KeyedEffect<Value>,
    number: number,
    timeoutMs: number,
  ): Promise<HandlerOutcome<never> | undefined> {
    // Uncertain from before the commit on: the attempt may be over, and be decided, while it is under way.
    const forget = this.noteStarted(effect.name, number, timeoutMs);
    try {
      await this.flushFacts();
      const answer = await this.steps.begin(this.startOf(effect, number, timeoutMs));
      if (answer === 'begun') return undefined;
      forget();
      return answer === 'cancelled' ? { kind: 'cancelled' } : FENCED;
    } catch (error) {
      // Nothing was sent, and it is not the job's fault: no attempt is spent. It may have been committed all the same.
      if (isUnavailable(error)) return { kind: 'snooze', code: 'LEDGER_UNAVAILABLE', afterMs: LEDGER_PAUSE_MS };
      forget();
      throw error;
    }
  }

  private noteStarted(name: string, number: number, timeoutMs: number): () => void {
    const entry = this.known.find((one) => one.name === name && one.number === number);
    if (entry) return () => undefined;
    const providerKey = this.providerKey(name, number);
    const added: EffectEntry = {
      name,
      number,
      providerKey,
      state: 'started',
      value: undefined,
      reference: undefined,
      ageMs: 0,
      overForMs: -timeoutMs,
    };
    this.known.push(added);
    return () => void this.known.splice(this.known.indexOf(added), 1);
  }

  /** What is already known must be in the ledger before something new begins. */
  private async flushFacts(): Promise<void> {
    const facts = [...this.facts];
    await this.steps.appendFacts(facts);
    this.facts.splice(0, facts.length);
  }

  private startOf<Value>(effect: KeyedEffect<Value>, number: number, timeoutMs: number): EffectStart {
    const { jobId, token, generation } = this.job;
    const { name, intent } = effect;
    return { jobId, token, generation, name, number, intent, timeoutMs, providerKey: this.providerKey(name, number) };
  }

  private record(name: string, number: number, state: EffectFact['state'], reference?: string, value?: unknown): void {
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

  private keepLate<Value>(effect: KeyedEffect<Value>, number: number, answer: ProviderAnswer<Value>): void {
    if (answer.kind !== 'done') return;
    this.steps.onLateFact(this.fact(effect.name, number, 'done', answer.reference, answer.value));
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

  /** Stable for the life of the effect, and different for every other one. */
  private providerKey(name: string, number: number): string {
    return `${this.job.jobId}:${name}:${number}`;
  }

  private isOver(): boolean {
    return this.closed || this.attempt.signal.aborted;
  }

  private timeLeft(): number {
    return Math.max(MIN_CALL_MS, Math.floor(this.attempt.endsAt - performance.now() - MARGIN_MS));
  }
}

/** Somebody else runs the job now; the settlement will be refused, whatever it says. */
const FENCED: HandlerOutcome<never> = { kind: 'retry', code: 'FENCED', message: 'another attempt has taken over' };

/** The attempt's time is over, or the process stops: a new effect must not begin. */
const OVER: HandlerOutcome<never> = { kind: 'retry', code: 'TIMEOUT', message: 'the attempt was told to stop' };

function ended(outcome: HandlerOutcome<never>): { kind: 'ended'; outcome: HandlerOutcome<never> } {
  return { kind: 'ended', outcome };
}

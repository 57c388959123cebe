import type { EffectResult, Effects, KeyedEffect, ProviderAnswer } from '../handlers/handler';
import type { HandlerOutcome } from '../handlers/outcome';
import type { EffectEntry, EffectFact, EffectStart, EffectStartAnswer } from '../jobs/effects';
import type { StartedJob } from '../jobs/start';

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

/**
 * The effects of one attempt. For each: what does the ledger know → begin (committed) → call → fact.
 *
 * Killed before `begin` committed: nothing was sent. After: the next attempt finds `started` and asks again with the same
 * key, or, when the provider may have forgotten the key or repeats a stored failure, asks whether it happened. Facts
 * travel with the settling transaction; lost with the process, they are asked for again.
 */
export class EffectRunner implements Effects {
  /** What this attempt learnt and has not written yet. */
  readonly facts: EffectFact[] = [];
  private ledger: EffectEntry[] | undefined;
  private readonly uncertain = new Set<string>();
  private readonly happened = new Set<string>();

  constructor(
    private readonly job: StartedJob,
    private readonly steps: EffectSteps,
    private readonly attempt: { signal: AbortSignal; endsAt: number },
  ) {
    if (job.fresh) this.ledger = [];
  }

  /** An effect of this job may have happened and nobody knows yet. */
  get anyUncertain(): boolean {
    return this.uncertain.size > 0;
  }

  /** An effect of this job certainly happened. */
  get anyHappened(): boolean {
    return this.happened.size > 0;
  }

  /** Reads what earlier attempts left, for a decision about the job without running it. */
  async load(): Promise<void> {
    this.ledger ??= await this.steps.readLedger(this.job.jobId);
    for (const entry of this.ledger) {
      const id = idOf(entry.name, entry.number);
      if (entry.state === 'done') this.happened.add(id);
      if (entry.state === 'started' || entry.state === 'in_doubt') this.uncertain.add(id);
    }
  }

  async perform<Value>(effect: KeyedEffect<Value>): Promise<EffectResult<Value>> {
    await this.load();
    const last = this.ledger?.filter((entry) => entry.name === effect.name).at(-1);
    if (!last || last.state === 'absent') return this.tryOnce(effect, (last?.number ?? 0) + 1, true);
    if (last.state === 'done') return this.known(effect, last);
    const keyIsGood = last.state === 'started' && last.ageMs < effect.keyWindowMs - WINDOW_MARGIN_MS;
    return keyIsGood ? this.tryOnce(effect, last.number, false) : this.reconcile(effect, last);
  }

  private known<Value>(effect: KeyedEffect<Value>, entry: EffectEntry): EffectResult<Value> {
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
    const timeoutMs = this.timeLeft();
    const begun = await this.begin(effect, number, timeoutMs);
    if (begun !== 'begun') return ended(begun === 'cancelled' ? { kind: 'cancelled' } : FENCED);
    this.uncertain.add(idOf(effect.name, number));
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

  private async begin<Value>(
    effect: KeyedEffect<Value>,
    number: number,
    timeoutMs: number,
  ): Promise<EffectStartAnswer> {
    // What is already known must be in the ledger before something new begins.
    await this.steps.appendFacts(this.facts.splice(0));
    return this.steps.begin({
      jobId: this.job.jobId,
      token: this.job.token,
      name: effect.name,
      number,
      generation: this.job.generation,
      providerKey: this.providerKey(effect.name, number),
      intent: effect.intent,
      timeoutMs,
    });
  }

  private record(name: string, number: number, state: EffectFact['state'], reference?: string, value?: unknown): void {
    this.facts.push(this.fact(name, number, state, reference, value));
    const id = idOf(name, number);
    if (state === 'in_doubt') return;
    this.uncertain.delete(id);
    if (state === 'done') this.happened.add(id);
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

  private timeLeft(): number {
    return Math.max(MIN_CALL_MS, Math.floor(this.attempt.endsAt - performance.now() - MARGIN_MS));
  }
}

/** Somebody else runs the job now; the settlement will be refused, whatever it says. */
const FENCED: HandlerOutcome<never> = { kind: 'retry', code: 'FENCED', message: 'another attempt has taken over' };

function ended(outcome: HandlerOutcome<never>): { kind: 'ended'; outcome: HandlerOutcome<never> } {
  return { kind: 'ended', outcome };
}

function idOf(name: string, number: number): string {
  return `${name}#${number}`;
}

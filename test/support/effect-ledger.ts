/** A job's effects without a database: the ledger in memory, and the runner of one attempt over it. */
import { FREE_PASS } from '../../src/limits/pass';
import { EffectRunner, type EffectSteps } from '../../src/execution/effect-runner';
import type { EffectEntry, EffectFact, EffectStart, EffectStartAnswer } from '../../src/jobs/effects';
import { startedJob } from './started-job';

/** A ledger of one job in memory, and what was asked of it in order. */
export function openLedger(entries: EffectEntry[] = []) {
  const begun: EffectStart[] = [];
  const written: EffectFact[] = [];
  const late: EffectFact[] = [];
  const steps = {
    readLedger: () => Promise.resolve(entries.map((entry) => ({ ...entry }))),
    begin: (start: EffectStart): Promise<EffectStartAnswer> => {
      begun.push(start);
      return Promise.resolve('begun');
    },
    appendFacts: (facts: EffectFact[]): Promise<void> => {
      written.push(...facts);
      return Promise.resolve();
    },
    callProvider: (call) => call(),
    onLateFact: (fact: EffectFact) => void late.push(fact),
  } satisfies EffectSteps;
  return { steps, begun, written, late };
}

export function entry(state: EffectEntry['state'], over: Partial<EffectEntry> = {}): EffectEntry {
  const times = { calls: 1, ageMs: 0, overForMs: 0 };
  return { name: 'pay', number: 1, providerKey: 'k', state, reference: undefined, value: undefined, ...times, ...over };
}

export function openRunner(
  steps: EffectSteps,
  { fresh = true, signal = new AbortController().signal, pass = FREE_PASS } = {},
) {
  const job = startedJob({ fresh });
  const repeats: string[] = [];
  const onRepeat = (name: string) => void repeats.push(name);
  const effects = new EffectRunner(job, steps, { signal, endsAt: performance.now() + 30_000, pass, onRepeat });
  return { job, effects, repeats };
}

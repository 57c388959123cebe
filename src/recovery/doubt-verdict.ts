import type { DoubtfulEffect, EffectVerdict, NextStep } from '../jobs/doubt';
import type { Problem } from '../platform/json-problems';

/** What a person says about a job in doubt, once it was looked up at the provider. */
export type Decision = { by: string; reason: string } & (
  | { said: 'happened'; effect: string | undefined; reference: string; value: Record<string, unknown> }
  | { said: 'notHappened'; effect: string | undefined; next: NextStep }
  /** For a job that waits for a person though no effect of it is uncertain. */
  | { said: 'nothing'; next: NextStep }
);

/** Why a decision is refused. Nothing was changed. */
export type Refusal =
  /** Nothing is uncertain, or not what was named: an answer of the provider came first, and is what counts. */
  | { kind: 'known'; effects: DoubtfulEffect[] }
  /** It must be said which effect is meant, and that it happened or did not. */
  | { kind: 'uncertain'; effects: string[] }
  /** The provider may still be carrying it out, so that nobody can know that it did not happen. */
  | { kind: 'underWay'; effect: string; overInMs: number }
  /** What was told is not what the job's handler needs to know. */
  | { kind: 'badValue'; problems: Problem[] };

export type ValueOfTold = (
  effect: DoubtfulEffect,
  told: { reference: string; value: Record<string, unknown> },
) => { value: unknown } | { problems: Problem[] };

/** Whether it may have happened. */
export function isUncertain({ state }: DoubtfulEffect): boolean {
  return state === 'started' || state === 'in_doubt';
}

/** What a decision means for the ledger: a verdict on one effect, none, or a refusal. */
export function judge(
  decision: Decision,
  effects: DoubtfulEffect[],
  valueOfTold: ValueOfTold,
): { verdict: EffectVerdict | undefined } | { refusal: Refusal } {
  const uncertain = effects.filter(isUncertain);
  const names = uncertain.map(({ name }) => name);
  if (decision.said === 'nothing') {
    return names.length === 0 ? { verdict: undefined } : { refusal: { kind: 'uncertain', effects: names } };
  }
  const meant = uncertain.filter(({ name }) => decision.effect === undefined || name === decision.effect);
  const [effect, another] = meant;
  if (!effect) return { refusal: { kind: 'known', effects } };
  if (another) return { refusal: { kind: 'uncertain', effects: names } };
  return decision.said === 'happened' ? happened(effect, decision, valueOfTold) : notHappened(effect);
}

function happened(
  effect: DoubtfulEffect,
  told: { reference: string; value: Record<string, unknown> },
  valueOfTold: ValueOfTold,
): { verdict: EffectVerdict } | { refusal: Refusal } {
  const { name, number } = effect;
  const valued = valueOfTold(effect, told);
  if ('problems' in valued) return { refusal: { kind: 'badValue', problems: valued.problems } };
  return { verdict: { name, number, state: 'done', reference: told.reference, value: valued.value } };
}

function notHappened({ name, number, overInMs }: DoubtfulEffect): { verdict: EffectVerdict } | { refusal: Refusal } {
  if (overInMs > 0) return { refusal: { kind: 'underWay', effect: name, overInMs } };
  return { verdict: { name, number, state: 'absent', reference: undefined, value: undefined } };
}

import type { DoubtfulEffect, EffectVerdict, NextStep } from '../jobs/doubt';
import type { Problem } from '../platform/json-problems';

/** What a person says about a job in doubt, once it was looked up at the provider. */
export type Decision = { by: string; reason: string } & (
  | { said: 'happened'; effect: string | undefined; reference: string; value: Record<string, unknown> }
  /** `told`: what its requester hears when it fails by the provider's own word; else that a person ended it. */
  | { said: 'notHappened'; effect: string | undefined; next: NextStep; told?: { code: string; message: string } }
  /** For a job that waits for a person though no effect of it is uncertain. */
  | { said: 'nothing'; next: NextStep }
);

/** Why a decision is refused. Nothing was changed. */
export type Refusal =
  /**
   * An answer of the provider came first, and is what counts: nothing is uncertain any more, or not what was named. Or the
   * job was to end as failed though all that it had begun happened.
   */
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

/** What the job's handler makes of what is told, and of what the ledger has. */
export interface HandlersWord {
  valueOfTold: ValueOfTold;
  isReadable: (effect: DoubtfulEffect) => boolean;
}

/** Whether it may have happened. */
export function isUncertain({ state }: DoubtfulEffect): boolean {
  return state === 'started' || state === 'in_doubt';
}

/**
 * Those that happened and of which the ledger has nothing that the handler can read: the job cannot go on until a person
 * tells it. A try that is uncertain is decided before another one of the same effect.
 */
export function findUnreadable(effects: DoubtfulEffect[], isReadable: HandlersWord['isReadable']): DoubtfulEffect[] {
  const uncertain = new Set(effects.filter(isUncertain).map(({ name }) => name));
  return effects.filter((one) => one.state === 'done' && !uncertain.has(one.name) && !isReadable(one));
}

/** What a decision means for the ledger: a verdict on one effect, none, or a refusal. */
export function judge(
  decision: Decision,
  effects: DoubtfulEffect[],
  handlers: HandlersWord,
): { verdict: EffectVerdict | undefined } | { refusal: Refusal } {
  const meant = findMeant(decision, effects, handlers);
  if ('refusal' in meant) return meant;
  const { effect } = meant;
  if (effect && decision.said === 'happened') return happened(effect, decision, handlers);
  const others = effects.filter((one) => one !== effect);
  if (decision.said !== 'happened' && decision.next === 'fail' && isWhole(others, effect)) {
    return { refusal: { kind: 'known', effects: others } };
  }
  return effect ? notHappened(effect) : { verdict: undefined };
}

/** The effect that a decision is about; none where none is uncertain and none is spoken of. */
function findMeant(
  decision: Decision,
  effects: DoubtfulEffect[],
  { isReadable }: HandlersWord,
): { effect: DoubtfulEffect | undefined } | { refusal: Refusal } {
  const uncertain = effects.filter(isUncertain);
  const open = decision.said === 'happened' ? [...uncertain, ...findUnreadable(effects, isReadable)] : uncertain;
  const refusal: Refusal = { kind: 'uncertain', effects: open.map(({ name }) => name) };
  if (decision.said === 'nothing') return uncertain.length === 0 ? { effect: undefined } : { refusal };
  const isNamed = ({ name }: DoubtfulEffect): boolean => decision.effect === undefined || name === decision.effect;
  const [effect, another] = open.filter(isNamed);
  if (effect && !another) return { effect };
  const named = effects.filter(isNamed);
  // One that there never was is a slip of the pen, not something known.
  return another || (named.length === 0 && open.length > 0)
    ? { refusal }
    : { refusal: { kind: 'known', effects: named } };
}

/**
 * Something happened, and nothing that was begun is missing: whoever pays for it must not be told that the job failed.
 * @param absent an effect that did not happen, by a person's word
 */
function isWhole(others: DoubtfulEffect[], absent: DoubtfulEffect | undefined): boolean {
  const mayHaveHappened = (name: string): boolean => others.some((one) => one.name === name && one.state !== 'absent');
  const tried = [...others, ...(absent ? [absent] : [])];
  return others.some(({ state }) => state === 'done') && tried.every(({ name }) => mayHaveHappened(name));
}

function happened(
  effect: DoubtfulEffect,
  told: { reference: string; value: Record<string, unknown> },
  { valueOfTold }: HandlersWord,
): { verdict: EffectVerdict } | { refusal: Refusal } {
  const { name, number, state, reference } = effect;
  const instead = state === 'done' ? 'unreadable' : 'uncertain';
  if (instead === 'unreadable' && reference !== undefined && reference !== told.reference) {
    const problem = { path: 'reference', message: `is not what the provider answered: ${reference}` };
    return { refusal: { kind: 'badValue', problems: [problem] } };
  }
  const valued = valueOfTold(effect, told);
  if ('problems' in valued) return { refusal: { kind: 'badValue', problems: valued.problems } };
  return { verdict: { name, number, instead, state: 'done', reference: told.reference, value: valued.value } };
}

function notHappened({ name, number, overInMs }: DoubtfulEffect): { verdict: EffectVerdict } | { refusal: Refusal } {
  if (overInMs > 0) return { refusal: { kind: 'underWay', effect: name, overInMs } };
  return { verdict: { name, number, instead: 'uncertain', state: 'absent', reference: undefined, value: undefined } };
}

/**
 * What the command that settles a job in doubt says. Ids, states and codes; no payload, and not who decided or why: that
 * is in the database.
 */
import type { DoubtfulEffect, MadeDecision } from '../jobs/doubt';
import type { JobRecord } from '../jobs/job';
import type { DoubtAnswer } from './doubt';
import { findUnreadable, isUncertain } from './doubt-verdict';

/** What the handlers of jobs say about their effects. */
export interface ToldOf {
  /** What must be told of one that happened. */
  missingOf: (jobType: string, effect: DoubtfulEffect) => { reference: string; fields: string[] } | undefined;
  isReadable: (jobType: string, effect: DoubtfulEffect) => boolean;
  /** What its provider has of it where that is not the provider key. */
  markOf: (effect: DoubtfulEffect) => string | undefined;
}

export function describeJob(
  job: JobRecord,
  effects: DoubtfulEffect[],
  decisions: MadeDecision[],
  told: ToldOf,
): string {
  const { jobId, type, status, generation, attempts, error } = job;
  const because = error ? ` (${error.code})` : '';
  return [
    `job ${jobId}: ${type}, ${status}${because}, generation ${generation}, attempts ${attempts}`,
    ...effects.map((effect) => describeEffect(effect, told.markOf(effect))),
    ...decisions.map(describeDecision),
    ...(status === 'in_doubt' ? waysOut(type, effects, told) : ['It is not in doubt: there is nothing to settle.']),
  ].join('\n');
}

function describeEffect(effect: DoubtfulEffect, mark: string | undefined): string {
  const { name, number, state, providerKey, reference, intent, begunAt, overInMs } = effect;
  const facts = [
    `provider_key ${providerKey}`,
    ...(mark === undefined ? [] : [`at the provider reference_id, or reason of a refund, ${mark}`]),
    `reference ${reference ?? 'unknown'}`,
    `begun ${begunAt.toISOString()}`,
    `asked for ${JSON.stringify(intent)}`,
    ...(isUncertain(effect) && overInMs > 0 ? [`may be under way for another ${overInMs} ms`] : []),
  ];
  return `  effect ${name} ${number}: ${state}; ${facts.join('; ')}`;
}

function describeDecision({ at, generation, effect, happened, reference, next }: MadeDecision): string {
  const found = effect === undefined ? '' : ` ${effect} ${happened ? `happened (${reference})` : 'did not happen'},`;
  return `  decided ${at.toISOString()} in generation ${generation}:${found} ${next}`;
}

function waysOut(type: string, effects: DoubtfulEffect[], { missingOf, isReadable }: ToldOf): string[] {
  const uncertain = effects.filter(isUncertain);
  const unreadable = findUnreadable(effects, (effect) => isReadable(type, effect));
  const several = uncertain.length + unreadable.length > 1;
  const list = (some: DoubtfulEffect[]): string[] =>
    some.map((effect) => `  ${howItHappened(effect.name, missingOf(type, effect), several)}`);
  if (uncertain.length === 0 && unreadable.length === 0) {
    return ['No effect of it is uncertain: settle with --retry or --fail.'];
  }
  return [
    ...(uncertain.length === 0 ? [] : [HOW_TO_DECIDE, ...list(uncertain)]),
    ...(unreadable.length === 0 ? [] : [HOW_TO_MEND, ...list(unreadable)]),
  ];
}

const HOW_TO_DECIDE =
  'Look up at the provider what carries the provider_key in its metadata (or what is named instead), then settle with --not-happened or with:';
const HOW_TO_MEND =
  'It happened, but the job cannot read what is recorded of it. Look it up by the provider_key, then settle with:';

function howItHappened(name: string, missing: ReturnType<ToldOf['missingOf']>, several: boolean): string {
  const { reference, fields } = missing ?? { reference: 'reference', fields: [] };
  const value = fields.length === 0 ? '' : ` --value '{${fields.map((field) => `"${field}": …`).join(', ')}}'`;
  return `${several ? `--effect ${name} ` : ''}--happened <${reference}>${value}`;
}

/** What was done, or why nothing was. */
export function describeAnswer(answer: DoubtAnswer): { done: boolean; text: string } {
  switch (answer.kind) {
    case 'goesOn':
      return { done: true, text: 'settled: the job goes on, and ends with an outcome of its own' };
    case 'failed':
      return {
        done: true,
        text: `settled: the job ended as failed; its key is ${answer.keyReleased ? 'free' : 'held, since something happened'}`,
      };
    case 'stillInDoubt':
      return { done: true, text: `kept; the job is in doubt until this is decided too: ${answer.effects.join(', ')}` };
    case 'notFound':
      return refused('there is no such money job');
    case 'notInDoubt':
      return refused(`the job is not in doubt but ${answer.status}: an answer, or another person, came first`);
    case 'known':
      return refused(`what became of it is known: ${answer.effects.map(stateOf).join(', ') || 'nothing was begun'}`);
    case 'uncertain':
      return refused(`say of one effect whether it happened (--effect): ${answer.effects.join(', ')}`);
    case 'underWay':
      return refused(`${answer.effect} may still be under way: ask the provider again in ${answer.overInMs} ms`);
    case 'badValue':
      return refused(answer.problems.map(({ path, message }) => `${path}: ${message}`).join('; '));
  }
}

function refused(why: string): { done: boolean; text: string } {
  return { done: false, text: `refused: ${why}` };
}

function stateOf({ name, state, reference }: DoubtfulEffect): string {
  return `${name} is ${state}${reference === undefined ? '' : ` (${reference})`}`;
}

import type { DoubtfulEffect } from '../../../src/jobs/doubt';
import { judge, type Decision } from '../../../src/recovery/doubt-verdict';

const signed = { by: 'op-7', reason: 'seen in the dashboard' };
const happened = (effect?: string): Decision => ({ ...signed, said: 'happened', effect, reference: 'pi_1', value: {} });
const not = (next: 'retry' | 'fail', effect?: string): Decision => ({ ...signed, said: 'notHappened', effect, next });
const nothing = (next: 'retry' | 'fail'): Decision => ({ ...signed, said: 'nothing', next });

function effect(name: string, state: DoubtfulEffect['state'], number = 1, overInMs = 0): DoubtfulEffect {
  const asked = {
    providerKey: `${name}:${number}`,
    intent: {},
    reference: undefined,
    value: undefined,
    begunAt: new Date(0),
  };
  return { name, number, state, overInMs, ...asked };
}

const judged = (decision: Decision, ...effects: DoubtfulEffect[]) =>
  judge(decision, effects, { valueOfTold: (_, told) => ({ value: told }), isReadable: ({ value }) => value !== null });
const absent = (name: string, number = 1) => ({ verdict: { name, number, state: 'absent' } });

const started = effect('pay', 'started');
const doubted = effect('pay', 'in_doubt');
const done = effect('pay', 'done');
const missing = effect('pay', 'absent');
const unreadable = { ...done, value: null };

it.each([
  ['the only uncertain effect happened', happened(), [started], { verdict: { state: 'done', reference: 'pi_1' } }],
  ['it did not', not('retry'), [doubted], absent('pay')],
  ['its second try did not', not('fail'), [missing, effect('pay', 'in_doubt', 2)], absent('pay', 2)],
  ['the one that is named did not', not('retry', 'fee'), [started, effect('fee', 'started')], absent('fee')],
  ['of two parts the second is missing', not('fail'), [done, effect('fee', 'in_doubt')], absent('fee')],
  ['what happened cannot be read', happened(), [unreadable], { verdict: { instead: 'unreadable', reference: 'pi_1' } }],
  [
    'a later try of what cannot be read happened',
    happened(),
    [unreadable, effect('pay', 'started', 2)],
    { verdict: { number: 2 } },
  ],
  [
    'of two the one that is named cannot be read',
    happened('pay'),
    [unreadable, effect('fee', 'started')],
    { verdict: { name: 'pay' } },
  ],
  ['what happened may be readable by now', nothing('retry'), [unreadable], { verdict: undefined }],
  ['nothing is uncertain', nothing('retry'), [done], { verdict: undefined }],
  ['nothing is uncertain, and a part is missing', nothing('fail'), [done, effect('fee', 'absent')], {}],
  ['nothing was begun', nothing('fail'), [], {}],
] as const)('%s: a verdict', (_, decision, effects, expected) => {
  const answer = judged(decision, ...effects);
  expect(answer).not.toHaveProperty('refusal');
  expect(answer).toMatchObject(expected);
});

it.each([
  ['it is known', happened(), [done], 'known'],
  ['what cannot be read is known to have happened', not('fail'), [unreadable], 'known'],
  ['what cannot be read happened, and is to fail', nothing('fail'), [unreadable], 'known'],
  ['what cannot be read has another reference', happened(), [{ ...unreadable, reference: 'pi_2' }], 'badValue'],
  ['one cannot be read, one is uncertain', happened(), [unreadable, effect('fee', 'started')], 'uncertain'],
  ['it is known that it did not happen', not('retry'), [missing], 'known'],
  ['the one that is named is known', not('retry', 'pay'), [done, effect('fee', 'started')], 'known'],
  ['there is none of that name', not('retry', 'fee'), [started], 'uncertain'],
  ['two are uncertain', happened(), [started, effect('fee', 'started')], 'uncertain'],
  ['nothing is said of what is uncertain', nothing('retry'), [started], 'uncertain'],
  ['everything happened, and is to fail', nothing('fail'), [done], 'known'],
  ['an earlier try happened, and is to fail', not('fail'), [done, effect('pay', 'started', 2)], 'known'],
  ['its call may be under way', not('fail'), [effect('pay', 'started', 1, 500)], 'underWay'],
] as const)('%s: refused', (_, decision, effects, kind) => {
  expect(judged(decision, ...effects)).toMatchObject({ refusal: { kind } });
});

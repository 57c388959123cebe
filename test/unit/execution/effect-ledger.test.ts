import { z } from 'zod';
import type { EffectEntry } from '../../../src/jobs/effects';
import { entry, openLedger, openRunner } from '../../support/effect-ledger';

describe('an effect is missing', () => {
  const missing = async (entries: EffectEntry[]) => {
    const { effects } = openRunner(openLedger(entries).steps, { fresh: false });
    await effects.load();
    return effects.anyMissing;
  };

  it.each([
    ['as none of its tries happened', [entry('absent'), entry('absent', { number: 2 })], true],
    ['whatever became of another one', [entry('absent'), entry('done', { name: 'other' })], true],
    ['unless a try may still have happened', [entry('absent'), entry('started', { number: 2 })], false],
    ['unless an earlier try did, as was learnt late', [entry('done'), entry('absent', { number: 2 })], false],
  ])('%s', async (_, entries, expected) => {
    expect(await missing(entries)).toBe(expected);
  });
});

describe('the try of an effect that counts is', () => {
  /** Performs the effect once more; its provider would do it again. */
  const perform = (entries: EffectEntry[]) => {
    const { effects } = openRunner(openLedger(entries).steps, { fresh: false });
    const again = () => Promise.resolve({ kind: 'done', value: 'again', reference: 'pi_2' } as const);
    const windows = { keyWindowMs: 24 * 3_600_000, searchLagMs: 0 };
    return effects.perform({ name: 'pay', intent: {}, value: z.string(), call: again, find: again, ...windows });
  };
  const happened = entry('done', { value: 'first', reference: 'pi_1' });

  it.each([
    ['the one that happened, though a later one did not', [happened, entry('absent', { number: 2 })]],
    [
      'the one that happened, though a later one was begun before that was learnt',
      [happened, entry('started', { number: 2 })],
    ],
    ['the one that happened, though a later one is in doubt', [happened, entry('in_doubt', { number: 2 })]],
    ['the last one', [entry('absent'), { ...happened, number: 2 }]],
  ])('%s', async (_, entries) => {
    expect(await perform(entries)).toMatchObject({ kind: 'done', value: 'first', reference: 'pi_1' });
  });
});

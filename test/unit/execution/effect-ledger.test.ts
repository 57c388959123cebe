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

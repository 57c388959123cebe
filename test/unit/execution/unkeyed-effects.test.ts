import { z } from 'zod';
import type { PlainAnswer, PlainLookup } from '../../../src/providers/answer';
import type { CallTime, RepeatPolicy, UnkeyedEffect } from '../../../src/handlers/handler';
import type { EffectEntry, EffectFact } from '../../../src/jobs/effects';
import { FREE_PASS } from '../../../src/limits/pass';
import { gate } from '../../support/harness/wait';
import { entry, openLedger, openRunner } from '../../support/effect-ledger';

const DONE = { kind: 'done', value: 7, reference: 'message-7' } as const;
const DECLINED = { kind: 'declined', code: 'EMAIL_REFUSED', message: 'm' } as const;
const REFUSED = { kind: 'refused', code: 'RATE_LIMITED', message: 'm', retryAfterMs: 9 } as const;
const UNKNOWN = { kind: 'unknown', code: 'TIMEOUT', message: 'm' } as const;
const GIVEN_UP = { kind: 'failed', code: 'UNKNOWN_DELIVERY', replayable: false };

function effect(policy: RepeatPolicy, over: Partial<UnkeyedEffect<number>> = {}): UnkeyedEffect<number> {
  return { name: 'pay', intent: {}, value: z.number(), policy, call: () => Promise.resolve(DONE), ...over };
}

/** Performs the effect once over a ledger, and tells what was done. */
async function perform(policy: RepeatPolicy, entries: EffectEntry[], answer: PlainAnswer<number> = DONE) {
  const { steps, begun } = openLedger(entries);
  const { effects, repeats } = openRunner(steps, { fresh: false });
  let calls = 0;
  const call = () => {
    calls += 1;
    return Promise.resolve(answer);
  };
  const result = await effects.perform(effect(policy, { call }));
  const facts = effects.facts.map(({ state }) => state);
  return { result, calls, numbers: begun.map(({ number }) => number), repeats, facts, effects };
}

const POLICIES = ['atLeastOnce', 'atMostOnce'] as const;

describe.each(POLICIES)('an effect without a key, %s', (policy) => {
  it.each<[string, PlainAnswer<number>, EffectFact['state'] | undefined, object]>([
    ['done', DONE, 'done', DONE],
    ['declined', DECLINED, 'absent', DECLINED],
    ['refused', REFUSED, 'absent', { kind: 'ended', outcome: { kind: 'retry', code: 'RATE_LIMITED', afterMs: 9 } }],
  ])('is asked for once when the answer is %s', async (_, answer, state, result) => {
    expect(await perform(policy, [], answer)).toMatchObject({
      calls: 1,
      numbers: [1],
      repeats: [],
      facts: [state],
      result,
    });
  });

  it('is asked for again, as new, after a definite no', async () => {
    expect(await perform(policy, [entry('absent')])).toMatchObject({
      calls: 1,
      numbers: [2],
      repeats: [],
      result: DONE,
    });
  });

  it('is never asked for again once it is known to have happened', async () => {
    const known = entry('done', { value: 7, reference: 'message-7' });
    expect(await perform(policy, [known])).toMatchObject({ calls: 0, numbers: [], repeats: [], result: DONE });
  });

  it('is left alone while an earlier call may still be under way: it waits for its end, and spends no attempt', async () => {
    const { calls, result, effects } = await perform(policy, [entry('started', { overForMs: -4_000 })]);
    expect(calls).toBe(0);
    expect(result).toEqual({ kind: 'ended', outcome: { kind: 'snooze', code: 'CALL_UNDER_WAY', afterMs: 4_000 } });
    expect(effects.anyUncertain).toBe(true);
  });

  it('is left alone for the rest of an attempt that did not learn what became of it', async () => {
    const { steps } = openLedger();
    const { effects } = openRunner(steps);
    await effects.perform(effect(policy, { call: () => Promise.resolve(UNKNOWN) }));
    const again = await effects.perform(effect(policy, { call: () => Promise.reject(new Error('was called')) }));
    expect(again).toMatchObject({ kind: 'ended', outcome: { kind: 'snooze' } });
  });
});

it.each([
  [2, { kind: 'ended', outcome: { kind: 'snooze', code: 'RATE_LIMITED', afterMs: 100 } }, []],
  [3, DONE, ['looked', 'called']],
])(
  'a lookup begins only when the call that may follow it is paid for as well (%s requests left)',
  async (left, result, asked) => {
    const { steps } = openLedger([entry('started', { overForMs: 1 })]);
    let tokens = left;
    const reserve = (requests: number) => Promise.resolve(requests > tokens ? 100 : undefined);
    const pay = async (requests: number) => {
      const waitMs = await reserve(requests);
      if (waitMs === undefined) tokens -= requests;
      return waitMs;
    };
    const { effects } = openRunner(steps, { fresh: false, pass: { ...FREE_PASS, reserve, pay } });
    const told: string[] = [];
    const find = () => {
      told.push('looked');
      return Promise.resolve({ kind: 'absent' } as const);
    };
    const call = () => {
      told.push('called');
      return Promise.resolve(DONE);
    };

    expect(await effects.perform(effect('atLeastOnce', { call, lookup: { lagMs: 0, find } }))).toEqual(result);
    expect(told).toEqual(asked);
  },
);

describe('at least once', () => {
  it('an unknown answer is followed by another attempt', async () => {
    const { result, effects, facts } = await perform('atLeastOnce', [], UNKNOWN);
    expect(result).toMatchObject({ kind: 'ended', outcome: { kind: 'retry', code: 'TIMEOUT' } });
    expect(facts).toEqual([]);
    expect(effects.anyUncertain).toBe(true);
  });

  it('a call that may have happened is made again, and the repeat is reported', async () => {
    const repeated = await perform('atLeastOnce', [entry('absent'), entry('started', { number: 2 })]);
    expect(repeated).toMatchObject({ calls: 1, numbers: [2], repeats: ['pay'], facts: ['done'], result: DONE });
    expect(repeated.effects).toMatchObject({ anyUncertain: false, anyHappened: true });
  });

  it.each([
    ['declined', DECLINED, DECLINED],
    ['refused', REFUSED, { kind: 'ended', outcome: { kind: 'retry' } }],
  ])('%s says nothing about an earlier call', async (_, answer, result) => {
    const repeated = await perform('atLeastOnce', [entry('started')], answer);
    expect(repeated).toMatchObject({ calls: 1, facts: [], result });
    expect(repeated.effects.anyUncertain).toBe(true);
  });

  it('a repeat that the ledger does not let begin is not reported', async () => {
    const { steps } = openLedger([entry('started')]);
    const { effects, repeats } = openRunner({ ...steps, begin: () => Promise.resolve('fenced') }, { fresh: false });
    const call = () => Promise.reject(new Error('was called'));
    expect(await effects.perform(effect('atLeastOnce', { call }))).toMatchObject({ outcome: { code: 'FENCED' } });
    expect(repeats).toEqual([]);
  });
});

describe('at most once', () => {
  it('an unknown answer ends the job: nobody is told twice', async () => {
    const { result, effects } = await perform('atMostOnce', [], UNKNOWN);
    expect(result).toMatchObject({ kind: 'ended', outcome: GIVEN_UP });
    expect(effects.anyUncertain).toBe(true);
  });

  it('a call that may have happened is not made again', async () => {
    expect(await perform('atMostOnce', [entry('started')])).toMatchObject({
      calls: 0,
      numbers: [],
      result: { kind: 'ended', outcome: GIVEN_UP },
    });
  });
});

describe.each(POLICIES)('an effect without a key that can be asked about, %s', (policy) => {
  const LAG_MS = 30_000;

  /** Performs it once, with `found` for what the provider says of an earlier call. */
  async function performAsked(entries: EffectEntry[], found: PlainLookup<number>, answer: PlainAnswer<number> = DONE) {
    const { steps } = openLedger(entries);
    const { effects, repeats } = openRunner(steps, { fresh: false });
    const asked: CallTime[] = [];
    let calls = 0;
    const find = (made: CallTime) => {
      asked.push(made);
      return Promise.resolve(found);
    };
    const call = () => {
      calls += 1;
      return Promise.resolve(answer);
    };
    const result = await effects.perform(effect(policy, { call, lookup: { lagMs: LAG_MS, find } }));
    return { result, calls, asked, repeats, effects };
  }

  it('is not asked about before its first call', async () => {
    expect(await performAsked([], { kind: 'absent' })).toMatchObject({ calls: 1, asked: [], result: DONE });
    expect(await performAsked([entry('absent')], { kind: 'absent' })).toMatchObject({ calls: 1, asked: [] });
  });

  it('is found to have happened, and not asked for again', async () => {
    const asked = await performAsked([entry('started', { overForMs: LAG_MS })], DONE);
    expect(asked).toMatchObject({ result: DONE, calls: 0, repeats: [], effects: { anyHappened: true } });
    expect(asked.effects.facts).toMatchObject([{ state: 'done', number: 1, reference: 'message-7', value: 7 }]);
  });

  it('is asked about only when its provider can know all: until then it waits, and spends no attempt', async () => {
    expect(await performAsked([entry('started', { overForMs: LAG_MS - 4_000 })], DONE)).toMatchObject({
      result: { kind: 'ended', outcome: { kind: 'snooze', code: 'CALL_UNDER_WAY', afterMs: 4_000 } },
      calls: 0,
      asked: [],
    });
  });

  it('is asked about from the begin of its call to the end of what its provider may still do', async () => {
    const { asked } = await performAsked([entry('started', { ageMs: 90_000, overForMs: 80_000 })], DONE);
    expect((asked[0]?.until.getTime() ?? 0) - (asked[0]?.from.getTime() ?? 0)).toBe(10_000 + LAG_MS);
  });

  it('waits for another attempt when its provider does not say', async () => {
    const doubtful = await performAsked([entry('started', { overForMs: LAG_MS })], UNKNOWN);
    expect(doubtful).toMatchObject({ result: { outcome: { kind: 'retry', code: 'TIMEOUT' } }, calls: 0, repeats: [] });
    expect(doubtful.effects.anyUncertain).toBe(true);
  });
});

describe('what its provider does not know of', () => {
  const lookup = { lagMs: 30_000, find: () => Promise.resolve({ kind: 'absent' } as const) };
  const over = entry('started', { overForMs: 30_000 });

  it('is asked for again at least once, as something that may happen twice', async () => {
    const { steps } = openLedger([over]);
    const { effects, repeats } = openRunner(steps, { fresh: false });
    expect(await effects.perform(effect('atLeastOnce', { lookup }))).toEqual(DONE);
    expect(repeats).toEqual(['pay']);
  });

  it('is given up at most once', async () => {
    const { steps } = openLedger([over]);
    const { effects } = openRunner(steps, { fresh: false });
    const call = () => Promise.reject(new Error('was called'));
    expect(await effects.perform(effect('atMostOnce', { call, lookup }))).toMatchObject({ outcome: GIVEN_UP });
    expect(effects.anyUncertain).toBe(true);
  });

  it('is looked for after an unknown answer, at most once too, and no attempt is spent on that', async () => {
    const { steps } = openLedger();
    const { effects } = openRunner(steps);
    const call = () => Promise.resolve(UNKNOWN);
    expect(await effects.perform(effect('atMostOnce', { call, lookup }))).toEqual({
      kind: 'ended',
      outcome: { kind: 'snooze', code: 'TIMEOUT', afterMs: 30_000 },
    });
  });
});

it('what certainly happened is recorded although the attempt was given up', async () => {
  const { steps, late } = openLedger();
  const { effects } = openRunner(steps);
  const answer = gate<PlainAnswer<number>>();
  const performing = effects.perform(effect('atLeastOnce', { call: () => answer.opened }));
  await new Promise(setImmediate);
  effects.close();
  answer.open(DONE);
  await performing;
  expect(late).toMatchObject([{ state: 'done', reference: 'message-7', value: 7 }]);
});

import { z } from 'zod';
import type { KeyedEffect, LookupAnswer, ProviderAnswer } from '../../../src/handlers/handler';
import type { EffectEntry, EffectFact, EffectStartAnswer } from '../../../src/jobs/effects';
import { UnavailableError } from '../../../src/platform/unavailable';
import { entry, openLedger, openRunner as open } from '../../support/effect-ledger';
import { gate } from '../../support/harness/wait';

const HOUR_MS = 3_600_000;
const DONE = { kind: 'done', value: 7, reference: 'pi_7' } as const;

function effect(over: Partial<KeyedEffect<number>> = {}): KeyedEffect<number> {
  return {
    name: 'pay',
    intent: {},
    value: z.number(),
    keyWindowMs: 24 * HOUR_MS,
    searchLagMs: HOUR_MS,
    call: () => Promise.resolve(DONE),
    find: () => Promise.resolve({ kind: 'absent' }),
    ...over,
  };
}

describe('what the provider says is what the ledger learns', () => {
  const answers: [string, ProviderAnswer<number>, EffectFact['state'] | undefined, object, object][] = [
    ['done', DONE, 'done', DONE, { anyUncertain: false, anyHappened: true, anyMissing: false }],
    [
      'declined',
      { kind: 'declined', code: 'C', message: 'm' },
      'absent',
      { kind: 'declined' },
      { anyUncertain: false, anyHappened: false, anyMissing: true },
    ],
    [
      'refused',
      { kind: 'refused', code: 'RATE_LIMITED', message: 'm', retryAfterMs: 9 },
      'absent',
      { kind: 'ended', outcome: { kind: 'retry', code: 'RATE_LIMITED', afterMs: 9 } },
      { anyUncertain: false, anyHappened: false, anyMissing: true },
    ],
    [
      'action',
      { kind: 'action', code: 'requires_action', message: 'm', reference: 'pi' },
      'in_doubt',
      { kind: 'ended', outcome: { kind: 'inDoubt' } },
      { anyUncertain: true, anyHappened: false, anyMissing: false },
    ],
    [
      'unknown',
      { kind: 'unknown', code: 'TIMEOUT', message: 'm' },
      undefined,
      { kind: 'ended', outcome: { kind: 'retry', code: 'TIMEOUT' } },
      { anyUncertain: true, anyHappened: false, anyMissing: false },
    ],
    [
      'unknown for ever under this key',
      { kind: 'unknown', code: 'SERVER_ERROR', message: 'm', replayed: true },
      'in_doubt',
      { kind: 'ended', outcome: { kind: 'retry' } },
      { anyUncertain: true, anyHappened: false, anyMissing: false },
    ],
  ];
  it.each(answers)('%s', async (_, answer, state, result, summary) => {
    const { effects, job } = open(openLedger().steps);

    expect(await effects.perform(effect({ call: () => Promise.resolve(answer) }))).toMatchObject(result);

    expect(effects.facts.map((fact) => fact.state)).toEqual(state === undefined ? [] : [state]);
    for (const fact of effects.facts) expect(fact).toMatchObject({ jobId: job.jobId, token: job.token, number: 1 });
    expect(effects).toMatchObject(summary);
  });
});

describe('which key is used', () => {
  const asked = async (entries: EffectEntry[], over: Partial<KeyedEffect<number>> = {}) => {
    const { steps, begun } = openLedger(entries);
    const { effects, job } = open(steps, { fresh: false });
    const keys: string[] = [];
    const call = (key: string) => {
      keys.push(key.replace(job.jobId, 'job'));
      return Promise.resolve(DONE);
    };
    const result = await effects.perform(effect({ call, ...over }));
    return { keys, numbers: begun.map((start) => start.number), result, effects };
  };

  it('the first, when nothing is known', async () => {
    expect(await asked([])).toMatchObject({ keys: ['job:pay:1'], numbers: [1] });
  });

  it('none, when an earlier try happened, as was learnt late', async () => {
    const entries = [entry('done', { value: 7, reference: 'pi_7' }), entry('absent', { number: 2 })];
    expect(await asked(entries)).toMatchObject({ keys: [], numbers: [], result: DONE });
  });

  it('the same again, while the provider certainly remembers it', async () => {
    expect(await asked([entry('started')])).toMatchObject({ keys: ['job:pay:1'], numbers: [1] });
  });

  it('the next, after a definite no', async () => {
    expect(await asked([entry('absent')])).toMatchObject({ keys: ['job:pay:2'], numbers: [2] });
  });

  it('none, when the ledger knows that it is done', async () => {
    const known = entry('done', { value: 7, reference: 'pi_7' });
    expect(await asked([entry('absent'), { ...known, number: 2 }])).toMatchObject({ keys: [], result: DONE });
  });

  it('none, when what is done cannot be read: it is in doubt', async () => {
    const { keys, result } = await asked([entry('done', { value: 'seven' })]);
    expect(keys).toEqual([]);
    expect(result).toMatchObject({ outcome: { kind: 'inDoubt', code: 'LEDGER_UNREADABLE' } });
  });

  it.each([
    ['the provider may have forgotten it', entry('started', { ageMs: 23 * HOUR_MS, overForMs: 23 * HOUR_MS })],
    ['it repeats a stored failure', entry('in_doubt', { overForMs: 2 * HOUR_MS })],
  ])('none before the provider was asked what happened, when %s', async (_, last) => {
    const done = await asked([last], { find: () => Promise.resolve(DONE) });
    expect(done).toMatchObject({ keys: [], result: DONE, effects: { facts: [{ state: 'done', number: 1 }] } });

    const absent = await asked([last]);
    expect(absent).toMatchObject({ keys: ['job:pay:2'], numbers: [2] });
  });

  it('none while "absent" proves nothing: it waits for the search, and spends no attempt', async () => {
    const { keys, result } = await asked([entry('in_doubt', { overForMs: HOUR_MS - 60_000 })]);
    expect(keys).toEqual([]);
    expect(result).toEqual({
      kind: 'ended',
      outcome: { kind: 'snooze', code: 'AWAITING_SEARCH', afterMs: 60_000 },
    });
  });

  it.each<[string, LookupAnswer<number>, object]>([
    ['unknown', { kind: 'unknown', code: 'TIMEOUT', message: 'm' }, { kind: 'retry', code: 'TIMEOUT' }],
    ['action', { kind: 'action', code: 'requires_action', message: 'm', reference: 'pi' }, { kind: 'inDoubt' }],
  ])('none when the lookup says %s', async (_, found, outcome) => {
    const { keys, result, effects } = await asked([entry('in_doubt')], { find: () => Promise.resolve(found) });
    expect(keys).toEqual([]);
    expect(result).toMatchObject({ kind: 'ended', outcome });
    expect(effects.anyUncertain).toBe(true);
  });
});

describe('what proves nothing', () => {
  it('"refused" is no proof after an earlier call with the same key', async () => {
    const { effects } = open(openLedger([entry('started')]).steps, { fresh: false });
    await effects.perform(effect({ call: () => Promise.resolve({ kind: 'refused', code: 'C', message: 'm' }) }));
    expect(effects.facts).toEqual([]);
    expect(effects.anyUncertain).toBe(true);
  });

  it('"declined" is no proof after an earlier call, unless it is the verdict on its key', async () => {
    const declined = { kind: 'declined', code: 'C', message: 'm' } as const;
    const doubtful = open(openLedger([entry('started')]).steps, { fresh: false }).effects;
    const asked = await doubtful.perform(effect({ call: () => Promise.resolve(declined) }));
    expect(asked).toMatchObject({ kind: 'ended', outcome: { kind: 'retry' } });
    expect(doubtful).toMatchObject({ anyUncertain: true, facts: [{ state: 'in_doubt' }] });

    const certain = open(openLedger([entry('started')]).steps, { fresh: false }).effects;
    await certain.perform(effect({ call: () => Promise.resolve({ ...declined, aboutKey: true }) }));
    expect(certain).toMatchObject({ anyUncertain: false, facts: [{ state: 'absent' }] });
  });

  it('a second effect keeps what the first one learnt', async () => {
    const { steps, written } = openLedger([entry('started')]);
    const { effects } = open(steps, { fresh: false });
    await effects.perform(effect());
    expect(effects).toMatchObject({ anyUncertain: false, anyHappened: true });

    await effects.perform(effect({ name: 'tell' }));

    // The first fact is in the ledger before the second effect begins.
    expect(written).toMatchObject([{ name: 'pay', state: 'done' }]);
    expect(effects).toMatchObject({ anyUncertain: false, anyHappened: true, facts: [{ name: 'tell' }] });
  });

  it('the same effect again in the same attempt is not made again, and a decline is not repeated under its key', async () => {
    const { steps, begun } = openLedger();
    const { effects } = open(steps);
    await effects.perform(effect({ call: () => Promise.resolve({ kind: 'declined', code: 'C', message: 'm' }) }));
    expect(await effects.perform(effect())).toEqual(DONE);
    expect(await effects.perform(effect())).toEqual(DONE);
    expect(begun.map((start) => start.number)).toEqual([1, 2]);
  });
});

describe('when the ledger says no', () => {
  it.each([
    ['cancelled', { kind: 'cancelled' }, false],
    // Somebody else may have made it happen.
    ['fenced', { kind: 'snooze', code: 'FENCED' }, true],
  ] as const)('%s: nothing is sent', async (answer, outcome, uncertain) => {
    const { steps } = openLedger();
    const { effects } = open({ ...steps, begin: () => Promise.resolve(answer) });
    const call = () => Promise.reject(new Error('was called'));
    expect(await effects.perform(effect({ call }))).toMatchObject({ kind: 'ended', outcome });
    expect(effects.anyUncertain).toBe(uncertain);
  });

  it('PostgreSQL away: nothing is sent, no attempt is spent, no fact is lost, and it may have been committed', async () => {
    const { steps, begun } = openLedger();
    const gone = new UnavailableError('connection terminated');
    const { effects } = open({
      ...steps,
      appendFacts: (facts) => (facts.length > 0 ? Promise.reject(gone) : Promise.resolve()),
    });
    await effects.perform(effect());

    const result = await effects.perform(effect({ name: 'tell', call: () => Promise.reject(new Error('was called')) }));

    expect(result).toMatchObject({ kind: 'ended', outcome: { kind: 'snooze', code: 'LEDGER_UNAVAILABLE' } });
    expect(begun).toHaveLength(1);
    expect(effects.facts).toMatchObject([{ name: 'pay', state: 'done', reference: 'pi_7' }]);
    expect(effects.anyUncertain).toBe(true);
  });
});

describe('after the attempt is over', () => {
  it('an effect that begins at that moment is uncertain for the decision, and is not sent', async () => {
    const { steps } = openLedger();
    const committing = gate<EffectStartAnswer>();
    const { effects } = open({ ...steps, begin: () => committing.opened });
    const performing = effects.perform(effect({ call: () => Promise.reject(new Error('was called')) }));
    await new Promise(setImmediate);

    effects.close();
    expect(effects.anyUncertain).toBe(true);
    committing.open('begun');

    expect(await performing).toMatchObject({ kind: 'ended', outcome: { kind: 'retry' } });
    expect(effects.anyUncertain).toBe(true);
  });

  it.each(['closed', 'aborted'])('nothing begins any more (%s)', async (how) => {
    const { steps, begun } = openLedger();
    const { effects } = open(steps, how === 'aborted' ? { signal: AbortSignal.abort() } : {});
    if (how === 'closed') effects.close();
    expect(await effects.perform(effect())).toMatchObject({ kind: 'ended', outcome: { kind: 'retry' } });
    expect(begun).toEqual([]);
  });

  it('nothing begins any more by the clock, though nobody has said so yet', async () => {
    const { steps, begun } = openLedger();
    const late = performance.now() + 60_000;
    const calls: string[] = [];
    const call = (key: string) => {
      calls.push(key);
      return Promise.resolve(DONE);
    };
    const early = open(steps).effects;
    const clock = jest.spyOn(performance, 'now').mockReturnValue(late);
    expect(await early.perform(effect({ call }))).toMatchObject({ kind: 'ended', outcome: { code: 'TIMEOUT' } });
    expect(begun).toEqual([]);

    clock.mockRestore();
    const begin = (): Promise<EffectStartAnswer> => {
      jest.spyOn(performance, 'now').mockReturnValue(late);
      return Promise.resolve('begun');
    };
    const { effects } = open({ ...steps, begin });
    expect(await effects.perform(effect({ call }))).toMatchObject({ kind: 'ended', outcome: { code: 'TIMEOUT' } });
    jest.restoreAllMocks();
    expect(effects.facts).toMatchObject([{ state: 'absent' }]);
    expect(calls).toEqual([]);
  });

  it('what certainly happened is recorded at once, and what did not changes nothing', async () => {
    const { steps, late } = openLedger();
    const { effects } = open(steps);
    const answer = gate<ProviderAnswer<number>>();
    const performing = effects.perform(effect({ call: () => answer.opened }));
    await new Promise(setImmediate);
    effects.close();
    answer.open(DONE);
    await performing;
    expect(late).toMatchObject([{ state: 'done', reference: 'pi_7', value: 7 }]);
    expect(effects.facts).toEqual([]);
  });

  it('an answer that comes after the call was given up is recorded when it says that it happened', async () => {
    const { steps, late } = openLedger();
    const { effects } = open(steps);
    await effects.perform(
      effect({
        call: (_, { onLateAnswer }) => {
          onLateAnswer({ kind: 'declined', code: 'C', message: 'm' });
          onLateAnswer(DONE);
          return Promise.resolve({ kind: 'unknown', code: 'ABORTED', message: 'm' });
        },
      }),
    );
    expect(late).toMatchObject([{ state: 'done', reference: 'pi_7' }]);
    expect(effects.anyUncertain).toBe(true);
  });
});

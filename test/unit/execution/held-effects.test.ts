import { z } from 'zod';
import type { HeldAnswer, HeldEffect, KeyedEffect } from '../../../src/handlers/handler';
import { entry, openLedger, openRunner } from '../../support/effect-ledger';

const HOUR_MS = 3_600_000;
const DONE = { kind: 'done', value: 7, reference: 'pi_7' } as const;
const ACTION = { kind: 'action', code: 'requires_action', message: 'm', reference: 'pi_7' } as const;

const neverAsked = () => Promise.reject(new Error('it is not asked for'));

function effect(look: HeldEffect<number>['look'], over: Partial<KeyedEffect<number>> = {}): KeyedEffect<number> {
  return {
    name: 'pay',
    intent: {},
    value: z.number(),
    keyWindowMs: 24 * HOUR_MS,
    searchLagMs: HOUR_MS,
    call: neverAsked,
    find: neverAsked,
    held: { waitMs: HOUR_MS, look },
    ...over,
  };
}

it.each([
  ['when it is asked for', entry('started'), { call: () => Promise.resolve(ACTION) }],
  ['when it is looked up', entry('in_doubt'), { find: () => Promise.resolve(ACTION) }],
])('is told of once, with what it waits for: found %s', async (_, last, over) => {
  const { effects } = openRunner(openLedger([last]).steps, { fresh: false });
  const result = await effects.perform(effect(neverAsked, over));

  expect(result).toEqual({ kind: 'ended', outcome: { ...ACTION, kind: 'attention', againMs: 5_000 } });
  expect(effects.facts).toMatchObject([{ state: 'in_doubt', reference: 'pi_7' }]);
});

describe('a look at it', () => {
  const held = (ageMs: number) => entry('in_doubt', { reference: 'pi_7', ageMs, overForMs: ageMs });
  const look = async (answer: HeldAnswer<number>, ageMs = 0) => {
    const { effects } = openRunner(openLedger([held(ageMs)]).steps, { fresh: false });
    const asked: { reference: string; giveUp: boolean }[] = [];
    const result = await effects.perform(
      effect((reference, { giveUp }) => {
        asked.push({ reference, giveUp });
        return Promise.resolve(answer);
      }),
    );
    return { result, asked, facts: effects.facts };
  };

  it('that finds it done ends it', async () => {
    expect(await look(DONE)).toMatchObject({
      result: DONE,
      asked: [{ reference: 'pi_7', giveUp: false }],
      facts: [{ state: 'done', reference: 'pi_7' }],
    });
  });

  it('that finds it ended without effect says so: the next try has another key', async () => {
    const declined = { kind: 'declined', code: 'C', message: 'm', reference: 'pi_7' } as const;
    expect(await look(declined)).toMatchObject({ result: declined, facts: [{ state: 'absent' }] });
  });

  it.each([
    [0, 5_000],
    [60_000, 12_000],
    [30 * 60_000, 300_000],
    [HOUR_MS - 1_000, 1_000],
  ])('that finds it unchanged after %i ms comes again after %i, without a word', async (ageMs, afterMs) => {
    const { result, facts } = await look(ACTION, ageMs);
    expect(result).toEqual({ kind: 'ended', outcome: { kind: 'snooze', code: 'AWAITING_CUSTOMER', afterMs } });
    expect(facts).toEqual([]);
  });

  it('gives it up when the time for it is over', async () => {
    expect(await look(ACTION, HOUR_MS)).toMatchObject({ asked: [{ giveUp: true }] });
  });

  it('that fails is made again', async () => {
    const { result, facts } = await look({ kind: 'unknown', code: 'TIMEOUT', message: 'm' });
    expect(result).toMatchObject({ kind: 'ended', outcome: { kind: 'retry', code: 'TIMEOUT' } });
    expect(facts).toEqual([]);
  });
});

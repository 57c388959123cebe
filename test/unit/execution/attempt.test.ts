import { z } from 'zod';
import { Attempt } from '../../../src/execution/attempt';
import type { EffectSteps } from '../../../src/execution/effect-runner';
import type { Effects, Handler } from '../../../src/handlers/handler';
import { done } from '../../../src/handlers/outcome';
import { FREE_PASS } from '../../../src/limits/pass';
import { createLogger } from '../../../src/platform/logger';
import { gate } from '../../support/harness/wait';
import { startedJob } from '../../support/started-job';

const LISTENER = { onRepeat: () => undefined, onProgress: () => undefined };

const log = createLogger({ level: 'silent', service: 'test' });

function open(timeoutMs: number) {
  const begun: string[] = [];
  const steps: EffectSteps = {
    readLedger: () => Promise.resolve([]),
    begin: (start) => {
      begun.push(start.name);
      return Promise.resolve('begun');
    },
    appendFacts: () => Promise.resolve(),
    callProvider: (call) => call(),
    onLateFact: () => undefined,
  };
  return { begun, attempt: new Attempt(startedJob({ timeoutMs }), steps, FREE_PASS, log, LISTENER) };
}

function charge(effects: Effects) {
  return effects.perform({
    name: 'charge',
    intent: {},
    value: z.number(),
    keyWindowMs: 1,
    searchLagMs: 1,
    call: () => Promise.resolve({ kind: 'done', value: 1, reference: 'pi' }),
    find: () => Promise.resolve({ kind: 'absent' }),
  });
}

const obeysByThrowing: Handler = (_, { signal }) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
const obeysByLeaving: Handler = (_, { signal }) =>
  new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve({ kind: 'retry', code: 'LEFT', message: 'told to leave' })),
  );
const finishesAllTheSame: Handler = (_, { signal }) =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(done(1))));
const ignores: Handler = () => new Promise(() => undefined);

describe('an attempt whose time is over', () => {
  it.each<[string, Handler, object]>([
    ['leaves', obeysByLeaving, { kind: 'retry', code: 'LEFT' }],
    ['throws', obeysByThrowing, { kind: 'retry', code: 'TIMEOUT' }],
    ['finishes all the same', finishesAllTheSame, { kind: 'done' }],
    ['ignores it', ignores, { kind: 'timedOut' }],
  ])('its handler %s', async (_, handler, end) => {
    expect(await open(10).attempt.run(handler)).toMatchObject(end);
  });
});

describe('an attempt that is handed back', () => {
  it.each<[string, Handler, object]>([
    ['leaves', obeysByLeaving, { kind: 'handedBack' }],
    ['throws', obeysByThrowing, { kind: 'handedBack' }],
    ['finishes all the same', finishesAllTheSame, { kind: 'done' }],
    ['ignores it', ignores, { kind: 'handedBack' }],
  ])('its handler %s', async (_, handler, end) => {
    const { attempt } = open(30_000);
    const ended = attempt.run(handler);
    attempt.handBack();
    expect(await ended).toMatchObject(end);
  });

  it('before its handler was called is handed back all the same', async () => {
    const { attempt, begun } = open(30_000);
    attempt.handBack();
    const end = await attempt.run(async (_, { effects }) => {
      const charged = await charge(effects);
      return charged.kind === 'ended' ? charged.outcome : done(1);
    });
    expect(end).toEqual({ kind: 'handedBack' });
    expect(begun).toEqual([]);
  });
});

it.each<[string, number]>([
  ['that has ended', 30_000],
  ['that was given up', 10],
])('an attempt %s lets its handler begin no effect any more', async (_, timeoutMs) => {
  const { attempt, begun } = open(timeoutMs);
  const letGo = gate();
  const afterwards = gate<{ kind: string }>();
  await attempt.run(async (_payload, { effects }) => {
    void letGo.opened.then(async () => afterwards.open(await charge(effects)));
    // The first one ends at once and leaves something running; the second one does not come back.
    return timeoutMs === 10 ? new Promise(() => undefined) : done(1);
  });
  letGo.open();
  expect(await afterwards.opened).toMatchObject({ kind: 'ended' });
  expect(begun).toEqual([]);
});

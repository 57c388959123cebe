import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { TIERS, type Tier } from '../../../src/contract/names';
import type { Handler } from '../../../src/handlers/handler';
import { done } from '../../../src/handlers/outcome';
import { gate, openHarness, type Harness } from '../../support/harness';

let harness: Harness;
/** How often each note ran, and what lets all of them end together. */
const runs = new Map<string, number>();
let together = gate();

const NUL = String.fromCodePoint(0);

/** Does what the first word of its note says. */
const canary: Handler = async (payload, { effects }) => {
  const { note } = z.object({ note: z.string() }).parse(payload);
  runs.set(note, (runs.get(note) ?? 0) + 1);
  await together.opened;
  const said = note.startsWith('result') ? NUL : 'fine';
  if (!note.startsWith('effect')) return done({ n: 1, said });
  const answer = { kind: 'done', value: NUL, reference: 'message-7' } as const;
  const call = () => Promise.resolve(answer);
  const sent = await effects.perform({ name: 'send', intent: {}, value: z.string(), policy: 'atLeastOnce', call });
  return sent.kind === 'ended' ? sent.outcome : done({ n: 1, said });
};

beforeAll(async () => {
  harness = await openHarness();
  await harness.startService({ handlers: new Map(TIERS.map((tier) => [`canary-${tier}`, canary])) });
});
beforeEach(() => {
  together = gate();
});
afterAll(() => harness?.close());

function ask(tier: Tier, what: string) {
  const note = `${what} ${randomUUID()}`;
  const request = () => harness.bus.request({ type: `canary-${tier}`, data: { n: 1, note } });
  return { note, request };
}

describe.each(TIERS)('a %s job', (tier) => {
  it('whose result cannot be stored fails as such after one run, and harms no neighbour', async () => {
    const bad = ask(tier, 'result');
    const neighbours = Array.from({ length: 5 }, () => ask(tier, 'neighbour'));
    const id = await bad.request();
    const others = await Promise.all(neighbours.map(({ request }) => request()));
    together.open();

    const { data } = await harness.bus.outcomeOf(id, 'failed');
    expect(data).toMatchObject({ attempts: 1, result: null, error: { code: 'RESULT_NOT_STORABLE', replayable: true } });
    for (const other of others) await harness.bus.outcomeOf(other, 'completed');
    expect(runs.get(bad.note)).toBe(1);
    // Nothing happened outside, so its key is free.
    const again = await harness.bus.outcomeOf(await bad.request(), 'failed');
    expect(again.data.jobId).not.toBe(data.jobId);
  });

  it('whose effect cannot be stored as its provider tells it is not run again: that it happened is kept', async () => {
    const bad = ask(tier, 'effect');
    together.open();
    const id = await bad.request();

    const { data } = await harness.bus.outcomeOf(id);
    expect(data).toMatchObject({
      outcome: tier === 'money' ? 'attention' : 'failed',
      error: { code: 'RESULT_NOT_STORABLE' },
    });
    const { rows } = await harness.environment.pool.query('SELECT state, calls FROM job_effects WHERE job_id = $1', [
      data.jobId,
    ]);
    expect(rows).toEqual([{ state: 'done', calls: 1 }]);
    expect(runs.get(bad.note)).toBe(1);
    const again = await harness.bus.outcomeOf(await bad.request(), 'duplicate');
    expect(again.data.jobId).toBe(data.jobId);
  });
});

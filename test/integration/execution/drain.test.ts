import { z } from 'zod';
import type { Handler, HandlerContext } from '../../../src/handlers/handler';
import { done } from '../../../src/handlers/outcome';
import { eventually, gate, openHarness, type Harness } from '../../support/harness';
import { MoneyRows, quick } from '../../support/money';

const canary = z.object({ n: z.int(), note: z.string() });

describe('a service that stops', () => {
  let harness: Harness;
  let rows: MoneyRows;
  const entered: string[] = [];
  const finish = gate();
  const never = gate();

  beforeAll(async () => {
    harness = await openHarness();
    rows = new MoneyRows(harness.environment.pool);
  });
  afterAll(async () => {
    never.open();
    await harness?.close();
  });

  /** In the first process each job does what its note says; in the second one all simply finish. */
  const first: Handler = async (payload, { signal }: HandlerContext) => {
    const { n, note } = canary.parse(payload);
    entered.push(note);
    if (note === 'finishes') await finish.opened;
    if (note === 'ignores') await never.opened;
    if (note === 'leaves') await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return note === 'leaves' ? { kind: 'retry', code: 'INTERRUPTED', message: 'told to leave' } : done({ n });
  };

  it('records what finishes, hands back what does not without an attempt spent, and another one runs that', async () => {
    const running = await harness.startService({ handlers: new Map([['canary-money', first]]) }, (config) => ({
      ...quick(config),
      shutdownTimeoutMs: 6_000,
      worker: { ...quick(config).worker, canaryConcurrency: 3 },
    }));
    const ids = new Map<string, string>();
    for (const note of ['finishes', 'ignores', 'leaves']) {
      ids.set(note, await harness.bus.request({ type: 'canary-money', data: { n: 1, note } }));
    }
    await eventually('all three run', () => entered.length === 3);
    // No slot is left: this one waits for one.
    ids.set('waits', await harness.bus.request({ type: 'canary-money', data: { n: 1, note: 'waits' } }));
    await rows.until('the fourth is accepted', ids.get('waits') ?? '', () => true);

    const stopped = running.stop();
    finish.open();
    await stopped;

    const after = Object.fromEntries(
      await Promise.all([...ids].map(async ([note, id]) => [note, await rows.find(id)] as const)),
    );
    expect(after['finishes']).toMatchObject({ status: 'completed', attempts: 1, starts: 1 });
    const handedBack = { status: 'pending', reason: 'HANDED_BACK', attempts: 0, starts: 1, finishes: 1 };
    expect(after['ignores']).toMatchObject(handedBack);
    expect(after['leaves']).toMatchObject(handedBack);
    expect(await rows.outcomes(after['finishes']?.id ?? '')).toEqual(['completed']);

    await harness.startService({}, quick);
    for (const id of ids.values()) {
      const { data } = await harness.bus.outcomeOf(id);
      expect(data).toMatchObject({ outcome: 'completed', attempts: 1, sequence: 1 });
      expect(await rows.outcomes(data.jobId ?? '')).toEqual(['completed']);
    }
  });
});

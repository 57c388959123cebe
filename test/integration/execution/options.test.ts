import type { Handler } from '../../../src/handlers/handler';
import { done } from '../../../src/handlers/outcome';
import { openHarness, type Harness } from '../../support/harness';
import { MoneyRows, quick } from '../../support/money';

let harness: Harness;
let rows: MoneyRows;
const ran: number[] = [];

/** Says by its note what it does. */
const canary: Handler = async (payload, { attempt, signal }) => {
  const { n, note } = payload as { n: number; note?: string }; // validated at intake by the type's schema
  ran.push(n);
  if (note === 'throws once' && attempt === 1) throw new TypeError('a fault in the handler');
  if (note === 'throws always') throw new TypeError('a fault in the handler');
  if (note === 'obeys by throwing') {
    await new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')));
    });
  }
  return done({ n });
};

beforeAll(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
});
afterAll(() => harness?.close());

const ask = (n: number, options: Record<string, unknown> = {}, note?: string) =>
  harness.bus.request({ type: 'canary-money', data: { n, ...(note ? { note } : {}) }, options });

it('priority: among those that wait the most urgent run first', async () => {
  const intake = await harness.startService({}, quick, { ROLES: 'consumer,relay,scheduler' });
  const priorities = [1, 5, 10, 3, 8];
  for (const priority of priorities) {
    const id = await ask(priority, { priority });
    await rows.until('it is accepted', id, () => true);
  }
  const worker = await harness.startService(
    { handlers: new Map([['canary-money', canary]]) },
    // One after the other: what runs at the same time has no order.
    (config) => ({ ...quick(config), worker: { ...quick(config).worker, maxBatch: 1, canaryConcurrency: 1 } }),
    { ROLES: 'worker' },
  );
  await harness.bus.outcomeOf(await ask(0, { priority: 1 }));
  await Promise.all([intake.stop(), worker.stop()]);
  expect(ran).toEqual([10, 8, 5, 3, 1, 0]);
});

describe('with a service', () => {
  beforeAll(async () => {
    await harness.startService({ handlers: new Map([['canary-money', canary]]) }, quick);
  });
  beforeEach(() => void ran.splice(0));

  it('expiresAt: a job that has not started by then fails as EXPIRED, and never runs', async () => {
    const expiresAt = new Date(Date.now() + 500).toISOString();
    const id = await ask(21, { expiresAt, delay: 1_500 });
    const { data } = await harness.bus.outcomeOf(id);
    expect(data).toMatchObject({ outcome: 'failed', attempts: 0, error: { code: 'EXPIRED', replayable: false } });
    expect(await rows.find(id)).toMatchObject({ status: 'failed', held: false });
    expect(ran).toEqual([]);
  });

  it('expiresAt: a job that started in time may finish after it', async () => {
    const expiresAt = new Date(Date.now() + 1_000).toISOString();
    const id = await ask(22, { expiresAt }, 'throws once');
    const { data } = await harness.bus.outcomeOf(id);
    expect(data).toMatchObject({ outcome: 'completed', attempts: 2 });
    expect(Date.parse(data.finishedAt ?? '')).toBeGreaterThan(Date.parse(expiresAt));
  });

  it('delay: starts no sooner than asked', async () => {
    const id = await ask(23, { delay: 1_000 });
    const { data } = await harness.bus.outcomeOf(id);
    const waited = Date.parse(data.startedAt ?? '') - Date.parse(data.acceptedAt ?? '');
    // By the database's clock alone; it may start a tenth of a second early.
    expect(waited).toBeGreaterThanOrEqual(900);
    expect(data.outcome).toBe('completed');
  });

  it('attempts: a handler that throws is tried again so often', async () => {
    const once = await harness.bus.outcomeOf(await ask(24, { attempts: 2 }, 'throws once'));
    expect(once.data).toMatchObject({ outcome: 'completed', attempts: 2 });
    const always = await harness.bus.outcomeOf(await ask(25, { attempts: 2 }, 'throws always'));
    expect(always.data).toMatchObject({ outcome: 'failed', attempts: 2, error: { code: 'HANDLER_ERROR' } });
    expect(JSON.stringify(always)).not.toContain('a fault in the handler');
  });

  it('timeout: a handler that obeys its signal by throwing is tried again, as TIMEOUT', async () => {
    const { data } = await harness.bus.outcomeOf(await ask(26, { attempts: 1, timeout: 1_000 }, 'obeys by throwing'));
    expect(data).toMatchObject({ outcome: 'failed', attempts: 1, error: { code: 'TIMEOUT', replayable: true } });
  });
});

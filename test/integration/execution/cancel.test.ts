import type { Handler } from '../../../src/handlers/handler';
import { done } from '../../../src/handlers/outcome';
import type { Service } from '../../../src/service';
import { around } from '../../support/around';
import { eventually, gate, openHarness, payment, type Harness } from '../../support/harness';
import { MoneyRows, quick } from '../../support/money';

let harness: Harness;
let rows: MoneyRows;
let service: Service;
/** Set by a test that holds attempts back before their effect begins, or after it did. */
let beforeBegin: (() => Promise<unknown>) | undefined;
let beforeCall: (() => Promise<unknown>) | undefined;
const running = { entered: gate(), leave: gate() };

/** Runs until the test lets it go, and touches nothing outside. */
const waiting: Handler = async () => {
  running.entered.open();
  await running.leave.opened;
  return done({ n: 1 });
};

beforeAll(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
  const decorate = around({
    'begin effect': async (run) => {
      await beforeBegin?.();
      return run();
    },
    'call provider': async (run) => {
      await beforeCall?.();
      return run();
    },
  });
  service = await harness.startService({ decorate, handlers: new Map([['canary-money', waiting]]) }, quick);
});
afterAll(() => harness?.close());
afterEach(() => {
  beforeBegin = undefined;
  beforeCall = undefined;
  harness.stripe.clearFaults();
});

const charges = (jobId: string) => harness.stripe.ledger().filter((one) => one.metadata['job_id'] === jobId);

describe('cancelling', () => {
  it('a waiting job ends it at once, answers its followers, and lets its key go', async () => {
    const request = { type: 'payment-process', data: payment(), options: { delay: 600_000 } };
    const id = await harness.bus.request(request);
    const job = await rows.until('the job waits', id, () => true);
    const follower = await harness.bus.request(request);
    await harness.bus.outcomeOf(follower, 'duplicate');

    expect(await service.cancelJob(job.id, 'OPERATOR')).toEqual({ kind: 'cancelled' });

    const { data } = await harness.bus.outcomeOf(id);
    expect(data).toMatchObject({ outcome: 'cancelled', sequence: 1, attempts: 0, result: null, error: null });
    expect(data.finishedAt).not.toBeNull();
    const told = await eventually('the follower is told', () => harness.bus.outcomesOf(follower)[1]);
    expect(told.data).toMatchObject({ outcome: 'duplicate', jobId: job.id, sequence: 1 });
    expect(told.data.finishedAt).toBe(data.finishedAt);
    expect(await rows.find(id)).toMatchObject({ status: 'cancelled', held: false });
    expect(await rows.moves(job.id)).toEqual(['pending → cancelled (OPERATOR)']);

    // The key is free, and the cancelled one stays cancelled.
    const again = await harness.bus.outcomeOf(await harness.bus.request({ ...request, options: {} }), 'completed');
    expect(again.data.jobId).not.toBe(job.id);
    expect(await service.cancelJob(job.id, 'OPERATOR')).toEqual({ kind: 'tooLate', status: 'cancelled' });
  });

  it('a running job before its effect stops it there: cancelled, nothing was sent', async () => {
    const asked = gate();
    const goOn = gate();
    beforeBegin = () => {
      asked.open();
      return goOn.opened;
    };
    const id = await harness.bus.request({ type: 'payment-process', data: payment() });
    await asked.opened;
    const job = await rows.until('the job runs', id, ({ status }) => status === 'processing');

    expect(await service.cancelJob(job.id, 'OPERATOR')).toEqual({ kind: 'requested' });
    goOn.open();

    const { data } = await harness.bus.outcomeOf(id);
    expect(data).toMatchObject({ outcome: 'cancelled', attempts: 0, sequence: 1 });
    expect(charges(job.id)).toEqual([]);
    expect(await rows.effects(job.id)).toEqual([]);
    expect(await rows.find(id)).toMatchObject({ status: 'cancelled', held: false });
  });

  it('a running job after its effect began lets the effect decide', async () => {
    const called = gate();
    const goOn = gate();
    beforeCall = () => {
      called.open();
      return goOn.opened;
    };
    const id = await harness.bus.request({ type: 'payment-process', data: payment() });
    await called.opened;
    const job = await rows.until('the job runs', id, ({ status }) => status === 'processing');

    expect(await service.cancelJob(job.id, 'OPERATOR')).toEqual({ kind: 'requested' });
    goOn.open();

    const { data } = await harness.bus.outcomeOf(id);
    expect(data).toMatchObject({ outcome: 'completed', attempts: 1 });
    expect(charges(job.id)).toHaveLength(1);
  });

  it.each([
    ['charged after all', 'lose-answer', 'completed', 1],
    ['turned away', 'rate-limit', 'cancelled', 0],
  ] as const)('a running job whose effect %s ends as that did', async (_, kind, outcome, charged) => {
    const called = gate();
    const goOn = gate();
    beforeCall = () => {
      called.open();
      return goOn.opened;
    };
    harness.stripe.fault({ kind, retryAfterSeconds: 0 });
    const id = await harness.bus.request({ type: 'payment-process', data: payment() });
    await called.opened;
    const job = await rows.until('the job runs', id, ({ status }) => status === 'processing');
    await service.cancelJob(job.id, 'OPERATOR');
    goOn.open();

    const { data } = await harness.bus.outcomeOf(id);
    expect(data.outcome).toBe(outcome);
    expect(charges(job.id)).toHaveLength(charged);
    expect(await rows.outcomes(job.id)).toEqual([outcome]);
  });

  it('between attempts is too late once the effect may have happened', async () => {
    harness.stripe.fault({ kind: 'lose-answer' });
    const id = await harness.bus.request({ type: 'payment-process', data: payment() });
    const job = await rows.until('the first attempt is over', id, ({ finishes }) => finishes === 1);
    expect(await service.cancelJob(job.id, 'OPERATOR')).toEqual({ kind: 'tooLate', status: 'pending' });
    expect((await harness.bus.outcomeOf(id)).data.outcome).toBe('completed');
    expect(charges(job.id)).toHaveLength(1);
  });

  it('a job without effects that runs to its end completes: it was asked too late', async () => {
    const id = await harness.bus.request({ type: 'canary-money', data: { n: 1 } });
    await running.entered.opened;
    const job = await rows.until('the job runs', id, ({ status }) => status === 'processing');
    expect(await service.cancelJob(job.id, 'OPERATOR')).toEqual({ kind: 'requested' });
    running.leave.open();
    expect((await harness.bus.outcomeOf(id)).data.outcome).toBe('completed');
    expect(await service.cancelJob(job.id, 'OPERATOR')).toEqual({ kind: 'tooLate', status: 'completed' });
  });

  it('a job in doubt is too late, and one that is not there is not found', async () => {
    harness.stripe.fault({ kind: 'lose-answer' });
    const id = await harness.bus.request({
      type: 'payment-process',
      data: payment(),
      options: { attempts: 1 },
    });
    const { data } = await harness.bus.outcomeOf(id, 'attention');
    expect(await service.cancelJob(data.jobId ?? '', 'OPERATOR')).toEqual({ kind: 'tooLate', status: 'in_doubt' });
    expect(await service.cancelJob('01933f6e-0000-7000-8000-000000000000', 'X')).toEqual({ kind: 'notFound' });
  });

  it('that meets the beginning of the effect: either nothing was sent, or the charge stands', async () => {
    const ids = await Promise.all(
      Array.from({ length: 12 }, () => harness.bus.request({ type: 'payment-process', data: payment() })),
    );
    beforeBegin = async () => {
      const { rows: jobs } = await harness.environment.pool.query<{ id: string }>(
        `SELECT id FROM critical_jobs WHERE status = 'processing' AND NOT cancel_requested`,
      );
      // Asked at the same moment as the effects begin: the row lock says who comes first.
      for (const { id } of jobs) void service.cancelJob(id, 'OPERATOR').catch(() => undefined);
    };

    const outcomes = await Promise.all(ids.map((id) => harness.bus.outcomeOf(id)));

    for (const { data } of outcomes) {
      expect(charges(data.jobId ?? '')).toHaveLength(data.outcome === 'completed' ? 1 : 0);
      expect(['completed', 'cancelled']).toContain(data.outcome);
    }
  });
});

import { z } from 'zod';
import type { Handler, KeyedEffect } from '../../../src/handlers/handler';
import { done, failed } from '../../../src/handlers/outcome';
import { createStripeAdapter, STRIPE_KEY_WINDOW_MS, type StripeAdapter } from '../../../src/providers/stripe/adapter';
import { around } from '../../support/around';
import { eventually, gate, openHarness, payment, type Harness } from '../../support/harness';
import { MoneyRows, quick } from '../../support/money';

let harness: Harness;
let rows: MoneyRows;
/** While set: the first start goes on, the second one waits until the test opens it. */
let hold: { starts: number; opened: Promise<void>; open: () => void } | undefined;

beforeAll(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
  const stripe = createStripeAdapter({ secretKey: 'sk_test_local', apiBase: harness.stripe.url });
  await harness.startService(
    {
      decorate: around({
        start: async (run) => {
          if (hold && ++hold.starts > 1) await hold.opened;
          return run();
        },
      }),
      handlers: new Map([['canary-money', chargingWithQuickSearch(stripe)]]),
    },
    quick,
  );
});
afterAll(() => harness?.close());
afterEach(() => {
  hold?.open();
  hold = undefined;
  harness.stripe.clearFaults();
  harness.stripe.resumeIndexing();
});

const pay = (options: Record<string, unknown> = {}) =>
  harness.bus.request({ type: 'payment-process', data: payment(), options });

const charges = (jobId: string | null) => harness.stripe.ledger().filter((one) => one.metadata['job_id'] === jobId);

describe('an answer that nobody got', () => {
  it('is asked for again under the same key: one charge', async () => {
    harness.stripe.fault({ kind: 'lose-answer' });
    const id = await pay();

    const { data } = await harness.bus.outcomeOf(id);
    expect(data).toMatchObject({ outcome: 'completed', attempts: 2 });
    expect(charges(data.jobId)).toMatchObject([{ calls: 2 }]);
    expect(data.result).toMatchObject({ chargeId: charges(data.jobId)[0]?.chargeId });
    expect(await rows.effects(data.jobId ?? '')).toMatchObject([{ number: 1, state: 'done', calls: 2 }]);
  });

  it('is looked up where the provider stored a failure after it had charged: one charge', async () => {
    harness.stripe.fault({ kind: 'fail-after-effect' });
    const id = await pay();

    const { data } = await harness.bus.outcomeOf(id);
    // Asked, asked again with the stored 500 for an answer, searched.
    expect(data).toMatchObject({ outcome: 'completed', attempts: 3 });
    expect(charges(data.jobId)).toMatchObject([{ calls: 2 }]);
    expect(await rows.moves(data.jobId ?? '')).toContain('processing → pending (SERVER_ERROR)');
  });

  it('is looked up when the provider may have forgotten the key: one charge', async () => {
    harness.stripe.fault({ kind: 'lose-answer' });
    hold = { starts: 0, ...gate() };
    const id = await pay();
    const job = await rows.until('the first attempt is over', id, ({ finishes }) => finishes === 1);
    expect(job.status).toBe('pending');
    harness.stripe.expireKeys();
    await rows.age(job.id, STRIPE_KEY_WINDOW_MS / 3_600_000);
    hold.open();

    const { data } = await harness.bus.outcomeOf(id);
    expect(data).toMatchObject({ outcome: 'completed', attempts: 2 });
    expect(charges(data.jobId)).toMatchObject([{ calls: 1 }]);
  });

  it('waits while the search may be too old to tell, and spends no attempt on it', async () => {
    // Charged; the answer is lost, the key is useless, and the search does not show it yet.
    harness.stripe.pauseIndexing();
    harness.stripe.fault({ kind: 'fail-after-effect' });
    const id = await pay({ attempts: 3 });

    const job = await rows.until('the job waits for the search', id, ({ reason }) => reason === 'AWAITING_SEARCH');
    expect(job).toMatchObject({ status: 'pending', attempts: 2 });
    // The rest of the hour that Stripe's search may be behind.
    expect(job.waits).toBeGreaterThan(3_500);
    expect(await rows.effects(job.id)).toMatchObject([{ number: 1, state: 'in_doubt' }]);
    expect(charges(job.id)).toHaveLength(1);
  });

  it('is proven not to have happened by a search that is fresh, and then tried under the next key', async () => {
    harness.stripe.fault({ kind: 'fail-before-effect' });
    const id = await harness.bus.request({ type: 'canary-money', data: { n: 1 }, options: { timeout: 2_500 } });

    const { data } = await harness.bus.outcomeOf(id);
    expect(data).toMatchObject({ outcome: 'completed', attempts: 3 });
    expect(charges(data.jobId)).toHaveLength(1);
    const [first, second] = await rows.effects(data.jobId ?? '');
    expect([first, second]).toMatchObject([
      { number: 1, state: 'absent', calls: 2 },
      { number: 2, state: 'done', calls: 1 },
    ]);
    expect(await rows.moves(data.jobId ?? '')).toContain('processing → pending (AWAITING_SEARCH)');
  });
});

describe('a job whose attempts are spent while its effect is unknown', () => {
  it('is in doubt, not failed: attention, the key held, followers told when it ends', async () => {
    harness.stripe.fault({ kind: 'lose-answer' });
    const id = await pay({ attempts: 1 });

    const { data } = await harness.bus.outcomeOf(id);
    expect(data).toMatchObject({ outcome: 'attention', sequence: 1, attempts: 1, finishedAt: null });
    expect(data.error).toMatchObject({ code: 'ECONNRESET', replayable: false });
    const job = await rows.until('the job is in doubt', id, ({ status }) => status === 'in_doubt');
    expect(job).toMatchObject({ held: true, reason: 'ECONNRESET' });
    expect(await rows.deadLetters(job.id)).toEqual([]);
    expect(await rows.outcomes(job.id)).toEqual(['attention']);
  });

  it('is not called failed because a handler failed before it asked', async () => {
    harness.stripe.fault({ kind: 'lose-answer' });
    const id = await harness.bus.request({
      type: 'canary-money',
      data: { n: 2, note: 'fails at its second attempt' },
      options: { attempts: 2, timeout: 2_500 },
    });

    const { data } = await harness.bus.outcomeOf(id);
    expect(data).toMatchObject({ outcome: 'attention', attempts: 2, error: { code: 'SECOND_THOUGHTS' } });
    expect(await rows.find(id)).toMatchObject({ status: 'in_doubt', held: true });
  });

  it('is opened again when the answer comes late, and completes with the one charge', async () => {
    const fault = harness.stripe.fault({ kind: 'slow' });
    const request = {
      type: 'canary-money',
      data: { n: 3, note: 'gives up' },
      options: { attempts: 1, timeout: 2_500 },
    };
    const id = await harness.bus.request(request);
    const doubt = await harness.bus.outcomeOf(id);
    expect(doubt.data).toMatchObject({ outcome: 'attention', sequence: 1 });
    const follower = await harness.bus.request(request);
    await harness.bus.outcomeOf(follower, 'duplicate');

    fault.release();

    const { data } = await harness.bus.outcomeOf(id, 'completed');
    expect(data).toMatchObject({ jobId: doubt.data.jobId, generation: 1, sequence: 2 });
    expect(charges(data.jobId)).toMatchObject([{ calls: 1 }]);
    const answers = await eventually('the follower is told', () => {
      const told = harness.bus.outcomesOf(follower);
      return told.length === 2 ? told : undefined;
    });
    expect(answers.map((answer) => answer.data.result !== null)).toEqual([false, true]);
    expect(await rows.moves(data.jobId ?? '')).toEqual([
      'pending → processing',
      'processing → in_doubt (ABORTED)',
      'in_doubt → pending (EFFECT_KNOWN)',
      'pending → processing',
      'processing → completed (DONE)',
    ]);
  });
});

/** A charge like the service's own, against a provider whose search is three seconds behind instead of an hour. */
function chargingWithQuickSearch(stripe: StripeAdapter): Handler {
  const value = z.object({ paymentIntentId: z.string(), chargeId: z.string(), amount: z.int(), currency: z.string() });
  const canary = z.object({ n: z.int(), note: z.string().optional() });
  return async (payload, { jobId, attempt, effects }) => {
    const { n, note } = canary.parse(payload);
    if (attempt === 2 && note === 'fails at its second attempt')
      return failed('SECOND_THOUGHTS', 'not today', { replayable: true });
    const charge: KeyedEffect<z.infer<typeof value>> = {
      name: 'charge',
      intent: {},
      value,
      keyWindowMs: STRIPE_KEY_WINDOW_MS,
      searchLagMs: 3_000,
      call: (providerKey, limits) => {
        const request = { jobId, amount: 100, currency: 'USD', paymentMethod: 'pm_card_visa', metadata: {} };
        const signal = note === 'gives up' ? AbortSignal.timeout(200) : limits.signal;
        return stripe.charge(request, { providerKey, ...limits, timeoutMs: 20_000, signal });
      },
      find: (providerKey, limits) => stripe.findCharge(providerKey, limits),
    };
    const charged = await effects.perform(charge);
    if (charged.kind === 'ended') return charged.outcome;
    if (charged.kind === 'declined') return failed(charged.code, charged.message, { replayable: true });
    return done({ n });
  };
}

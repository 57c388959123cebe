import { randomUUID } from 'node:crypto';
import { STRIPE_KEY_WINDOW_MS } from '../../../src/providers/stripe/adapter';
import type { Service } from '../../../src/service';
import { around } from '../../support/around';
import { gate, openHarness, type Harness } from '../../support/harness';
import { MoneyRows, quick } from '../../support/money';

const HOUR_MS = 3_600_000;
const WEEK_HOURS = 7 * 24;
const VENUE = 'acct_venue';
const PLATFORM = 'acct_sandbox';

let harness: Harness;
let rows: MoneyRows;
let service: Service;
/** While set, starts of jobs wait for it. */
let hold: ReturnType<typeof gate<undefined>> | undefined;

beforeAll(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
  const waitForHold = async (run: () => Promise<unknown>) => {
    await hold?.opened;
    return run();
  };
  service = await harness.startService({ decorate: around({ start: waitForHold }) }, quick);
});
afterAll(() => harness?.close());
beforeEach(() => {
  harness.stripe.setAvailable(PLATFORM, 'usd', 10_000_000);
  harness.stripe.setAvailable(VENUE, 'usd', 0);
});
afterEach(() => {
  hold?.open(undefined);
  hold = undefined;
  harness.stripe.clearFaults();
});

const outcome = (id: string, name?: string) => harness.bus.outcomeOf(id, name);

/** Asks for a payout of 250,000 cents to a bank account, unless told otherwise. */
function payOut(
  over: Record<string, unknown> = {},
  parts: { idempotencyKey?: string; options?: Record<string, unknown> } = { idempotencyKey: randomUUID() },
): Promise<string> {
  const standard = { accountId: VENUE, bankAccountId: 'ba_venue', type: 'standard' };
  const data = { venueId: randomUUID(), amount: 250_000, ...standard, ...over };
  return harness.bus.request({ type: 'payout-process', data, ...parts });
}

const transfersOf = (jobId: string | null) =>
  harness.stripe.transfers().filter(({ metadata }) => metadata['job_id'] === jobId);
const payoutsOf = (jobId: string | null) =>
  harness.stripe.payouts().filter(({ metadata }) => metadata['job_id'] === jobId);

/** As if the time for the next attempt had come, though it is hours away. */
async function hurry(jobId: string): Promise<void> {
  await harness.environment.redis.flushall();
  await harness.environment.pool.query('UPDATE critical_jobs SET run_at = now() WHERE id = $1', [jobId]);
}

/** As if the job had waited so long since it was first started, and looked again. */
async function waitedFor(requestId: string, hours: number): Promise<void> {
  const { id } = await rows.until('it waits', requestId, ({ reason }) => reason === 'BALANCE_INSUFFICIENT');
  await harness.environment.pool.query(
    "UPDATE critical_jobs SET started_at = started_at - $2 * interval '1 hour' WHERE id = $1",
    [id, hours],
  );
  await hurry(id);
}

describe('a payout', () => {
  it('goes from our balance to the venue, and from there to its bank', async () => {
    const venueId = randomUUID();
    const { data, routingKey } = await outcome(await payOut({ venueId }), 'completed');

    expect(routingKey).toBe('money.payout-process.completed');
    const [[transfer], [payout]] = [transfersOf(data.jobId), payoutsOf(data.jobId)];
    expect(transfer).toMatchObject({ amount: 250_000, destination: VENUE, metadata: { venue_id: venueId } });
    expect(payout).toMatchObject({ amount: 250_000, account: VENUE, destination: 'ba_venue', method: 'standard' });
    expect(data).toMatchObject({
      attempts: 1,
      result: {
        transactionId: data.jobId,
        transferId: transfer?.transferId,
        payoutId: payout?.payoutId,
        provider: 'stripe',
        amount: 250_000,
        currency: 'USD',
        type: 'standard',
        status: 'pending',
        arrivesAt: expect.stringMatching(/Z$/),
      },
    });
    expect(await rows.effects(data.jobId ?? '')).toMatchObject([
      { name: 'payout', number: 1, state: 'done' },
      { name: 'transfer', number: 1, state: 'done' },
    ]);
  });

  it('can be instant', async () => {
    const { data } = await outcome(await payOut({ type: 'instant', bankAccountId: 'card_venue' }), 'completed');

    expect(payoutsOf(data.jobId)).toMatchObject([{ method: 'instant', destination: 'card_venue' }]);
  });

  it('is one for each period, and one for each request of the caller', async () => {
    const venueId = randomUUID();
    for (const distinction of [{ period: '2026-01' }, { requestId: 'r-1' }]) {
      const { data } = await outcome(await payOut({ venueId, ...distinction }, {}), 'completed');
      expect((await outcome(await payOut({ venueId, ...distinction }, {}), 'duplicate')).data.jobId).toBe(data.jobId);
      expect(transfersOf(data.jobId)).toHaveLength(1);
    }
  });

  it('without a period, a requestId or a key of its own is refused, since it could be told from no other', async () => {
    const { data } = await outcome(await payOut({}, {}), 'rejected');

    expect(data.error).toMatchObject({
      code: 'INVALID_REQUEST',
      details: [{ path: 'data.idempotencyKey', message: expect.stringContaining('must be given') }],
    });
  });
});

describe('too little money', () => {
  it('on our balance: nothing moves, an hour later it is tried again', async () => {
    harness.stripe.setAvailable(PLATFORM, 'usd', 249_999);
    const id = await payOut();
    const job = await rows.until('it waits', id, ({ reason }) => reason === 'BALANCE_INSUFFICIENT');
    expect(job).toMatchObject({ status: 'pending', attempts: 0, waits: HOUR_MS / 1_000 });
    expect(transfersOf(job.id)).toEqual([]);

    harness.stripe.setAvailable(PLATFORM, 'usd', 250_000);
    await hurry(job.id);
    expect((await outcome(id, 'completed')).data).toMatchObject({ attempts: 1 });
    expect(transfersOf(job.id)).toHaveLength(1);
    expect(payoutsOf(job.id)).toHaveLength(1);
  });

  it("on the venue's balance: the payout is tried again, the transfer is not", async () => {
    harness.stripe.setAvailable(VENUE, 'usd', -1);
    const id = await payOut();
    const job = await rows.until('it waits', id, ({ reason }) => reason === 'BALANCE_INSUFFICIENT');
    expect(transfersOf(job.id)).toHaveLength(1);
    expect(payoutsOf(job.id)).toEqual([]);

    harness.stripe.setAvailable(VENUE, 'usd', 250_000);
    await hurry(job.id);
    expect((await outcome(id, 'completed')).data).toMatchObject({ attempts: 1 });
    expect(transfersOf(job.id)).toMatchObject([{ calls: 1 }]);
    expect(payoutsOf(job.id)).toHaveLength(1);
  });

  const ASKED_ONCE = { options: { attempts: 1 } };

  it('for a week: it fails where nothing moved, and its key is free', async () => {
    harness.stripe.setAvailable(PLATFORM, 'usd', 0);
    const id = await payOut({}, { idempotencyKey: randomUUID(), ...ASKED_ONCE });
    await waitedFor(id, WEEK_HOURS);

    const { data } = await outcome(id, 'failed');
    expect(data.error).toMatchObject({ code: 'BALANCE_INSUFFICIENT', replayable: true });
    expect((await rows.find(id))?.held).toBe(false);
  });

  it('for a week after the transfer: it fails and keeps its key, and a replay waits again and does the rest', async () => {
    harness.stripe.setAvailable(VENUE, 'usd', -1);
    const id = await payOut({}, { idempotencyKey: randomUUID(), ...ASKED_ONCE });
    await waitedFor(id, WEEK_HOURS);

    const { data } = await outcome(id, 'failed');
    expect(data.error).toMatchObject({ code: 'BALANCE_INSUFFICIENT', replayable: true });
    expect(data.error?.message).toContain(transfersOf(data.jobId)[0]?.transferId);
    expect((await rows.find(id))?.held).toBe(true);

    const jobId = data.jobId ?? '';
    await service.replayJob(jobId, 'TEST');
    await rows.until('it waits again', id, (job) => job.generation === 2 && job.reason === 'BALANCE_INSUFFICIENT');
    harness.stripe.setAvailable(VENUE, 'usd', 250_000);
    await waitedFor(id, 1);
    await outcome(id, 'completed');
    expect(transfersOf(jobId)).toMatchObject([{ calls: 1 }]);
    expect(payoutsOf(jobId)).toHaveLength(1);
  });
});

describe('a payout that cannot be', () => {
  it.each([
    ['acct_nobody', 'INVALID_REQUEST'],
    ['acct_restricted', 'PAYOUTS_NOT_ALLOWED'],
  ])('to %s fails at once, its key is free', async (accountId, code) => {
    const { data } = await outcome(await payOut({ accountId }), 'failed');

    expect(data).toMatchObject({ attempts: 1, error: { code, replayable: true } });
    expect((await rows.find(data.requestId ?? ''))?.held).toBe(false);
    expect(transfersOf(data.jobId)).toEqual([]);
  });

  it('after its transfer fails, keeps its key, and a replay goes on where it stopped', async () => {
    const idempotencyKey = randomUUID();
    const data = { venueId: randomUUID(), type: 'instant', bankAccountId: 'ba_venue' };
    const id = await payOut(data, { idempotencyKey });
    const { data: failed } = await outcome(id, 'failed');
    const [transfer] = transfersOf(failed.jobId);
    expect(failed.error).toMatchObject({ code: 'INSTANT_UNSUPPORTED', replayable: true });
    expect(failed.error?.message).toContain(transfer?.transferId);
    // Asked for again it is the same payout: nothing is transferred a second time.
    expect((await outcome(await payOut(data, { idempotencyKey }))).data).toMatchObject({
      outcome: 'duplicate',
      jobId: failed.jobId,
    });

    await service.replayJob(failed.jobId ?? '', 'TEST');
    await rows.until('it has failed again', id, (job) => job.generation === 2 && job.status === 'failed');
    expect(transfersOf(failed.jobId)).toMatchObject([{ calls: 1 }]);
    expect(await rows.effects(failed.jobId ?? '')).toMatchObject([
      { name: 'payout', number: 1, state: 'absent' },
      { name: 'payout', number: 2, state: 'absent' },
      { name: 'transfer', number: 1, state: 'done' },
    ]);
  });
});

describe.each(['transfers', 'payouts'] as const)('an answer that nobody got, of %s', (path) => {
  const match = { path: `/v1/${path}` };
  const happened = (jobId: string | null) => (path === 'transfers' ? transfersOf(jobId) : payoutsOf(jobId));
  const expectOne = (jobId: string | null) =>
    expect([transfersOf(jobId).length, payoutsOf(jobId).length]).toEqual([1, 1]);

  it('is asked for again under the same key', async () => {
    harness.stripe.fault({ kind: 'lose-answer', match });
    const { data } = await outcome(await payOut(), 'completed');

    expect(data).toMatchObject({ attempts: 2 });
    expect(happened(data.jobId)).toMatchObject([{ calls: 2 }]);
    expectOne(data.jobId);
  });

  it('is looked up where Stripe stored a failure after it had moved the money', async () => {
    harness.stripe.fault({ kind: 'fail-after-effect', match });
    const { data } = await outcome(await payOut(), 'completed');

    expect(data).toMatchObject({ attempts: 3 });
    expectOne(data.jobId);
  });

  it('is looked up when Stripe may have forgotten the key', async () => {
    harness.stripe.fault({ kind: 'lose-answer', match });
    const id = await payOut();
    const job = await rows.until('the first attempt is over', id, ({ finishes }) => finishes === 1);
    hold = gate<undefined>();
    harness.stripe.expireKeys();
    await rows.age(job.id, STRIPE_KEY_WINDOW_MS / HOUR_MS);
    hold.open(undefined);

    expect((await outcome(id, 'completed')).data).toMatchObject({ attempts: 2 });
    expectOne(job.id);
  });

  it('is found not to have happened once no earlier call can do so any more, and then asked for under the next key', async () => {
    harness.stripe.fault({ kind: 'fail-before-effect', match });
    const id = await payOut();
    const job = await rows.until('its key can tell nothing more', id, ({ finishes }) => finishes === 2);
    hold = gate<undefined>();
    await rows.age(job.id, 1);
    hold.open(undefined);

    await outcome(id, 'completed');
    expect((await rows.effects(job.id)).filter(({ number }) => number === 2)).toMatchObject([{ state: 'done' }]);
    expectOne(job.id);
  });
});

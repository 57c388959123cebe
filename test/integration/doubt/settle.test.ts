import { randomUUID } from 'node:crypto';
import type { Service } from '../../../src/service';
import { Doubts, happened, nothingUncertain, notHappened } from '../../support/doubt';
import { eventually, openHarness, type Harness } from '../../support/harness';
import { MoneyRows, quick } from '../../support/money';

let harness: Harness;
let rows: MoneyRows;
let doubts: Doubts;
let service: Service;

beforeAll(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
  doubts = new Doubts(harness, rows);
  service = await harness.startService({}, quick);
});
afterAll(() => harness?.close());
afterEach(() => harness.stripe.clearFaults());

describe('a job in doubt, settled by hand', () => {
  it('as happened: it completes with the reference that was told, and nothing is charged again', async () => {
    const { requestId, jobId } = await doubts.make('charged');
    const found = doubts.found(jobId);

    expect(await service.settleDoubt(jobId, happened(found))).toEqual({ kind: 'goesOn' });

    const { data } = await harness.bus.outcomeOf(requestId, 'completed');
    expect(data).toMatchObject({ jobId, generation: 1, sequence: 2, error: null });
    expect(data.result).toMatchObject({ paymentIntentId: found.reference, chargeId: found.value['chargeId'] });
    expect(doubts.charges(jobId)).toMatchObject([{ calls: 1 }]);
    expect(await rows.effects(jobId)).toMatchObject([{ number: 1, state: 'done', reference: found.reference }]);
    expect(await rows.outcomes(jobId)).toEqual(['attention', 'completed']);
    expect((await rows.moves(jobId)).slice(-3)).toEqual([
      'in_doubt → pending (BY_HAND)',
      'pending → processing',
      'processing → completed (DONE)',
    ]);
    expect(await doubts.decisions(jobId)).toEqual([
      {
        generation: 1,
        effect: 'charge',
        number: 1,
        happened: true,
        reference: found.reference,
        next: 'retry',
        decided_by: 'op-7',
        reason: 'looked up in the dashboard, ticket 12',
      },
    ]);
  });

  it('as not happened, and tried again: it is charged once, under another key', async () => {
    const { requestId, jobId } = await doubts.make('not charged');

    expect(await service.settleDoubt(jobId, notHappened('retry'))).toEqual({ kind: 'goesOn' });

    const { data } = await harness.bus.outcomeOf(requestId, 'completed');
    expect(data).toMatchObject({ jobId, attempts: 1, sequence: 2 });
    expect(doubts.charges(jobId)).toMatchObject([{ idempotencyKey: `${jobId}:charge:2`, calls: 1 }]);
    expect(await rows.effects(jobId)).toMatchObject([
      { number: 1, state: 'absent' },
      { number: 2, state: 'done' },
    ]);
  });

  it('as not happened, and ended: it fails with an outcome, its key is free, and it can be replayed', async () => {
    const { requestId, jobId, data: payload } = await doubts.make('not charged');
    const follower = await harness.bus.request({ type: 'payment-process', data: payload });
    await harness.bus.outcomeOf(follower, 'duplicate');

    expect(await service.settleDoubt(jobId, notHappened('fail'))).toEqual({ kind: 'failed', keyReleased: true });

    const { data } = await harness.bus.outcomeOf(requestId, 'failed');
    expect(data).toMatchObject({ jobId, sequence: 2, result: null });
    expect(data.error).toMatchObject({ code: 'ENDED_BY_HAND', replayable: true });
    expect(JSON.stringify(data)).not.toMatch(/op-7|ticket 12/);
    const told = await eventually('the follower is told', () => harness.bus.outcomesOf(follower, 'duplicate')[1]);
    expect(told.data).toMatchObject({ jobId, error: { code: 'ENDED_BY_HAND' }, finishedAt: data.finishedAt });
    expect(await rows.find(requestId)).toMatchObject({ status: 'failed', held: false, reason: 'BY_HAND' });
    expect(await rows.deadLetters(jobId)).toEqual([{ kind: 'gave_up', code: 'ENDED_BY_HAND' }]);
    expect(doubts.charges(jobId)).toEqual([]);

    expect(await service.replayJob(jobId, 'OPERATOR')).toEqual({ kind: 'replayed', generation: 2 });
    expect((await harness.bus.outcomeOf(requestId, 'completed')).data).toMatchObject({ generation: 2, sequence: 3 });
    expect(doubts.charges(jobId)).toHaveLength(1);
  });

  it.each([
    ['did not happen is not tried again', 'not charged', 'cancelled', 0],
    ['happened completes', 'charged', 'completed', 1],
  ] as const)('after its cancellation was asked for: what %s', async (_, charged, outcome, charges) => {
    const { requestId, jobId } = await doubts.make(charged);
    await harness.environment.pool.query('UPDATE critical_jobs SET cancel_requested = true WHERE id = $1', [jobId]);
    const decision = charges === 1 ? happened(doubts.found(jobId)) : notHappened('retry');
    expect(await service.settleDoubt(jobId, decision)).toEqual({ kind: 'goesOn' });
    await harness.bus.outcomeOf(requestId, outcome);
    expect(doubts.charges(jobId)).toHaveLength(charges);
  });
});

describe('a job that cannot read what is recorded of its effect, settled by hand', () => {
  it.each([
    ['nothing', null],
    ['what an earlier version took', { paymentIntentId: 'pi_1', amount: 100 }],
  ])('as its provider has it, where %s was recorded: it completes, and nothing is charged again', async (_, value) => {
    const { requestId, jobId } = await doubts.makeUnreadable(value);
    const found = doubts.found(jobId);
    const inDoubt = () => rows.until('it is in doubt', requestId, ({ status }) => status === 'in_doubt');
    // As often as it looks, it finds the same.
    expect(await service.settleDoubt(jobId, nothingUncertain('retry'))).toMatchObject({ kind: 'goesOn' });
    expect(await inDoubt()).toMatchObject({ reason: 'LEDGER_UNREADABLE' });
    expect(await service.settleDoubt(jobId, nothingUncertain('fail'))).toMatchObject({ kind: 'known' });
    expect(await service.settleDoubt(jobId, notHappened('fail'))).toMatchObject({ kind: 'known' });

    expect(await service.settleDoubt(jobId, happened(found))).toEqual({ kind: 'goesOn' });

    const { data } = await harness.bus.outcomeOf(requestId, 'completed');
    expect(data.result).toMatchObject({ paymentIntentId: found.reference, ...found.value });
    expect(doubts.charges(jobId)).toMatchObject([{ calls: 1 }]);
    expect(await rows.effects(jobId)).toMatchObject([{ number: 1, state: 'done', reference: found.reference }]);
  });
});

describe('a payout in doubt, settled by hand', () => {
  const payOut = async (path: string): Promise<{ requestId: string; jobId: string }> => {
    harness.stripe.setAvailable('acct_sandbox', 'usd', 1_000_000);
    harness.stripe.fault({ kind: 'lose-answer', match: { method: 'POST', path } });
    const to = { accountId: 'acct_venue', bankAccountId: 'ba_venue', type: 'standard' };
    const data = { venueId: randomUUID(), amount: 100, period: '2026-01', ...to };
    const requestId = await harness.bus.request({ type: 'payout-process', data, options: { attempts: 1 } });
    const { data: outcome } = await harness.bus.outcomeOf(requestId, 'attention');
    await rows.age(outcome.jobId ?? '', 1);
    return { requestId, jobId: outcome.jobId ?? '' };
  };
  const transfersOf = (jobId: string) =>
    harness.stripe.transfers().filter(({ metadata }) => metadata['job_id'] === jobId);
  const payoutsOf = (jobId: string) => harness.stripe.payouts().filter(({ metadata }) => metadata['job_id'] === jobId);

  it('whose transfer happened goes on with the payout', async () => {
    const { requestId, jobId } = await payOut('/v1/transfers');
    const [transfer] = transfersOf(jobId);
    const found = { reference: transfer?.transferId ?? '', value: {} };

    expect(await service.settleDoubt(jobId, happened(found))).toEqual({ kind: 'goesOn' });

    const { data } = await harness.bus.outcomeOf(requestId, 'completed');
    expect(data.result).toMatchObject({ transferId: transfer?.transferId, amount: 100 });
    expect([transfersOf(jobId), payoutsOf(jobId)]).toMatchObject([[{ amount: 100 }], [{ amount: 100 }]]);
  });

  it('after a long doubt waits for a balance as long as any other, and does not expire', async () => {
    harness.stripe.setAvailable('acct_venue', 'usd', -101);
    const { requestId, jobId } = await payOut('/v1/transfers');
    await harness.environment.pool.query(
      "UPDATE critical_jobs SET started_at = now() - interval '8 days', expires_at = now() - interval '7 days' WHERE id = $1",
      [jobId],
    );
    const found = { reference: transfersOf(jobId)[0]?.transferId ?? '', value: {} };

    expect(await service.settleDoubt(jobId, happened(found))).toEqual({ kind: 'goesOn' });

    const { reason, status } = await rows.until(
      'it was looked at',
      requestId,
      (job) => job.reason !== 'BY_HAND' && job.status !== 'processing',
    );
    expect({ reason, status }).toEqual({ reason: 'BALANCE_INSUFFICIENT', status: 'pending' });
    harness.stripe.setAvailable('acct_venue', 'usd', 0);
  });

  it('whose payout was ended as not happened keeps its key: the venue has the transfer', async () => {
    const { requestId, jobId } = await payOut('/v1/payouts');
    expect(await service.settleDoubt(jobId, notHappened('fail'))).toEqual({ kind: 'failed', keyReleased: false });
    expect((await harness.bus.outcomeOf(requestId, 'failed')).data.error).toMatchObject({ code: 'ENDED_BY_HAND' });
    expect(await rows.find(requestId)).toMatchObject({ status: 'failed', held: true });
  });
});

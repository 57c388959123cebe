/** A decision by hand counts only while nobody and nothing else has decided. */
import { appendToOutbox } from '../../../src/outbox/rows';
import { doubtSteps } from '../../../src/composition/doubt';
import { appendEffectFacts } from '../../../src/jobs/effects';
import type { Database } from '../../../src/platform/postgres/database';
import { settleDoubt, type DoubtAnswer } from '../../../src/recovery/doubt';
import type { Service } from '../../../src/service';
import { around } from '../../support/around';
import { Doubts, happened, nothingUncertain, notHappened } from '../../support/doubt';
import { openHarness, type Harness } from '../../support/harness';
import { waitsForLock } from '../../support/locks';
import { MoneyRows, quick } from '../../support/money';
import { openDatabase } from '../../support/records';

let harness: Harness;
let rows: MoneyRows;
let doubts: Doubts;
let service: Service;
let database: Database;
/** The next decision is made, and its answer lost. */
let loseAnswer = false;

beforeAll(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
  doubts = new Doubts(harness, rows);
  database = openDatabase(harness.environment.variables['DATABASE_URL'] ?? '');
  // A job whose effect became known stays as it is until its test has looked at it.
  const decorate = around({
    'settle doubt': async (run) => {
      const answer = await run();
      if (!loseAnswer) return answer;
      loseAnswer = false;
      throw new Error('the answer to COMMIT was lost');
    },
  });
  service = await harness.startService({ decorate }, (config) => {
    const hasty = quick(config);
    return { ...hasty, recovery: { ...hasty.recovery, overdueEveryMs: 3_600_000 } };
  });
});
afterAll(async () => {
  await database?.close();
  await harness?.close();
});
afterEach(() => harness.stripe.clearFaults());

/** What the provider answered, from an attempt that nobody waited for any more. */
function lateFact(jobId: string, token = '01933f6e-0000-7000-8000-000000000000') {
  const { reference, value } = doubts.found(jobId);
  const charge = { ...value, paymentIntentId: reference, amount: 100, currency: 'usd' };
  return { jobId, token, name: 'charge', number: 1, state: 'done', reference, value: charge } as const;
}

async function tokenOf(jobId: string): Promise<string> {
  const { rows: found } = await harness.environment.pool.query<{ attempt_token: string }>(
    'SELECT attempt_token FROM critical_jobs WHERE id = $1',
    [jobId],
  );
  return found[0]?.attempt_token ?? '';
}

/** Nothing about the job was changed. */
async function expectUntouched(requestId: string, jobId: string): Promise<void> {
  expect(await rows.find(requestId)).toMatchObject({ status: 'in_doubt', held: true });
  expect(await rows.outcomes(jobId)).toEqual(['attention']);
  expect(await doubts.decisions(jobId)).toEqual([]);
}

describe('a decision by hand is refused', () => {
  it.each([
    ['retry', notHappened('retry')],
    ['fail', notHappened('fail')],
    ['happened', happened({ reference: 'pi_other', value: { chargeId: 'ch_other' } })],
    ['nothing is uncertain, fail', nothingUncertain('fail')],
  ])('when a late answer knows better: %s', async (_, decision) => {
    const { requestId, jobId } = await doubts.make('charged');
    await appendEffectFacts(database, [lateFact(jobId)]);
    const { reference } = lateFact(jobId);

    expect(await service.settleDoubt(jobId, decision)).toMatchObject({
      kind: 'known',
      effects: [{ name: 'charge', state: 'done', reference }],
    });

    await expectUntouched(requestId, jobId);
    expect(await rows.effects(jobId)).toMatchObject([{ state: 'done', reference }]);
  });

  it('when a late answer comes at the same moment and is first', async () => {
    const { requestId, jobId } = await doubts.make('charged');
    let decided: Promise<DoubtAnswer> | undefined;
    await database.transaction(async (tx) => {
      await appendEffectFacts(tx, [lateFact(jobId)]);
      decided = service.settleDoubt(jobId, notHappened('fail'));
      await waitsForLock(harness.environment.pool);
    });
    expect(await decided).toMatchObject({ kind: 'known', effects: [{ state: 'done' }] });
    await expectUntouched(requestId, jobId);
  });

  it('when somebody else was quicker: of two at once one decides, and the other is told', async () => {
    const { requestId, jobId } = await doubts.make('charged');
    const answers = await Promise.all([
      service.settleDoubt(jobId, happened(doubts.found(jobId))),
      service.settleDoubt(jobId, notHappened('fail')),
      service.settleDoubt(jobId, happened(doubts.found(jobId))),
    ]);
    expect(answers.filter(({ kind }) => kind === 'notInDoubt')).toHaveLength(2);
    expect(await doubts.decisions(jobId)).toHaveLength(1);
    await harness.bus.outcomeOf(requestId, answers[1].kind === 'failed' ? 'failed' : 'completed');
    expect(await rows.outcomes(jobId)).toHaveLength(2);
  });

  it('when the call may still be under way: nobody can know that it did not happen', async () => {
    const { requestId, jobId } = await doubts.make('not charged', 'under way');
    const answer = await service.settleDoubt(jobId, notHappened('retry'));
    expect(answer).toEqual({ kind: 'underWay', effect: 'charge', overInMs: expect.any(Number) });
    await expectUntouched(requestId, jobId);
  });

  it('when what is told cannot be what happened, with every problem named', async () => {
    const { requestId, jobId } = await doubts.make('charged');
    const wrong = happened({ reference: 'ch_1', value: { charge: 'ch_1', amount: 5 } });
    expect(await service.settleDoubt(jobId, wrong)).toEqual({
      kind: 'badValue',
      problems: [
        { path: 'reference', message: expect.stringContaining('pi_') },
        { path: 'value', message: 'may have nothing but chargeId' },
        { path: 'value.chargeId', message: expect.stringContaining('expected string') },
      ],
    });
    await expectUntouched(requestId, jobId);
  });

  it('when it does not say what became of the uncertain effect, or speaks of another', async () => {
    const { requestId, jobId } = await doubts.make('charged');
    expect(await service.settleDoubt(jobId, nothingUncertain('fail'))).toEqual({
      kind: 'uncertain',
      effects: ['charge'],
    });
    expect(await service.settleDoubt(jobId, notHappened('fail', 'refund'))).toEqual({
      kind: 'uncertain',
      effects: ['charge'],
    });
    await expectUntouched(requestId, jobId);
  });

  it('when the job is not in doubt, or is not there', async () => {
    const id = await harness.bus.request({ type: 'canary-money', data: { n: 1 } });
    const { data } = await harness.bus.outcomeOf(id);
    expect(await service.settleDoubt(data.jobId ?? '', notHappened('fail'))).toEqual({
      kind: 'notInDoubt',
      status: 'completed',
    });
    const nobody = '01933f6e-0000-7000-8000-000000000000';
    expect(await service.settleDoubt(nobody, notHappened('fail'))).toEqual({ kind: 'notFound' });
  });
});

describe('a decision by hand', () => {
  it('is made as a whole or not at all', async () => {
    const { requestId, jobId } = await doubts.make('not charged');
    const steps = doubtSteps({
      transaction: (work) =>
        database.transaction(async (tx) => {
          await work(tx);
          throw new Error('the connection broke before the commit');
        }),
      append: appendToOutbox,
      wakeFeeder: () => undefined,
      signal: () => undefined,
    });
    await expect(settleDoubt(steps, jobId, notHappened('fail'))).rejects.toThrow('broke before the commit');
    await expectUntouched(requestId, jobId);
    expect(await rows.effects(jobId)).not.toMatchObject([{ state: 'absent' }]);
  });

  it.each([
    ['happened', 'charged', 'completed'],
    ['did not, and fails', 'not charged', 'failed'],
  ] as const)('whose answer is lost was made, and is not made again: it %s', async (_, charged, outcome) => {
    const { requestId, jobId } = await doubts.make(charged);
    const decision = charged === 'charged' ? happened(doubts.found(jobId)) : notHappened('fail');
    loseAnswer = true;
    await expect(service.settleDoubt(jobId, decision)).rejects.toThrow('answer to COMMIT was lost');
    expect(await service.settleDoubt(jobId, decision)).toMatchObject({ kind: 'notInDoubt' });
    await harness.bus.outcomeOf(requestId, outcome);
    expect(await rows.outcomes(jobId)).toEqual(['attention', outcome]);
    expect(await doubts.decisions(jobId)).toHaveLength(1);
  });
});

describe('after a decision by hand', () => {
  it('the attempt that left the doubt makes nothing uncertain again', async () => {
    const { jobId } = await doubts.make('not charged');
    const token = await tokenOf(jobId);
    await service.settleDoubt(jobId, notHappened('fail'));
    const unknown = { reference: undefined, value: undefined, state: 'in_doubt' } as const;
    await appendEffectFacts(database, [{ jobId, token, name: 'charge', number: 1, ...unknown }]);
    expect(await rows.effects(jobId)).toMatchObject([{ state: 'absent' }]);
  });

  it('a job with another uncertain effect stays in doubt until that is decided too', async () => {
    const { requestId, jobId } = await doubts.make('charged');
    await harness.environment.pool.query(
      `INSERT INTO job_effects (job_id, name, number, generation, provider_key, intent, state, deadline, attempt_token)
       VALUES ($1, 'fee', 1, 1, 'fee:1', '{}', 'in_doubt', now(), gen_random_uuid())`,
      [jobId],
    );
    expect(await service.settleDoubt(jobId, notHappened('retry'))).toEqual({
      kind: 'uncertain',
      effects: ['charge', 'fee'],
    });
    expect(await service.settleDoubt(jobId, notHappened('retry', 'fee'))).toEqual({
      kind: 'stillInDoubt',
      effects: ['charge'],
    });
    expect(await rows.find(requestId)).toMatchObject({ status: 'in_doubt' });
    expect(await service.settleDoubt(jobId, happened(doubts.found(jobId)))).toEqual({ kind: 'goesOn' });
    await harness.bus.outcomeOf(requestId, 'completed');
    expect(doubts.charges(jobId)).toHaveLength(1);
  });

  it('a job of which nothing is uncertain goes on as its ledger tells', async () => {
    const { requestId, jobId } = await doubts.make('charged');
    await appendEffectFacts(database, [lateFact(jobId)]);
    expect(await service.settleDoubt(jobId, nothingUncertain('retry'))).toEqual({ kind: 'goesOn' });
    await harness.bus.outcomeOf(requestId, 'completed');
    expect(doubts.charges(jobId)).toHaveLength(1);
    expect(await doubts.decisions(jobId)).toMatchObject([{ effect: null, happened: null, next: 'retry' }]);
  });
});

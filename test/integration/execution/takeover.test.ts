import { QUEUE_POLICIES } from '../../../src/catalogue/queues';
import type { Handler } from '../../../src/handlers/handler';
import { done } from '../../../src/handlers/outcome';
import { raiseDispatch } from '../../../src/jobs/dispatch';
import { CommitUnknownError } from '../../../src/platform/postgres/database';
import { JobQueue } from '../../../src/queues/queue';
import { startServices } from '../../../tools/services';
import { SET_VARIABLE } from '../../../tools/services/environment';
import { around } from '../../support/around';
import { eventually, gate, openHarness, payment, type Harness } from '../../support/harness';
import { MoneyRows, quick } from '../../support/money';
import { openDatabase, silentLog } from '../../support/records';

let harness: Harness;
let rows: MoneyRows;

beforeEach(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
});
afterEach(() => harness?.close());

/** Has a running job handed to Redis once more, as happens when its process is thought to be dead. */
async function handOverAgain(jobId: string): Promise<void> {
  const { DATABASE_URL = '', QUEUE_PREFIX = '' } = harness.environment.variables;
  const database = openDatabase(DATABASE_URL);
  const name = QUEUE_POLICIES.money.queueName;
  const queue = new JobQueue(
    harness.environment.redis,
    { name, prefix: `${QUEUE_PREFIX}:{money}`, timeoutMs: 2_000, keep: 0 },
    silentLog,
  );
  try {
    const [again] = await raiseDispatch(database, [{ jobId, generation: 1, dispatch: 1 }]);
    if (!again) throw new Error('the job is not what it was');
    await queue.add([{ ...again, type: again.jobType, delayMs: 0 }]);
  } finally {
    await queue.close();
    await database.close();
  }
}

it('a second start takes over: the first one may not decide, but what it learnt is kept and used', async () => {
  const answered = gate();
  let calls = 0;
  const service = await harness.startService(
    {
      decorate: around({
        'call provider': async (run) => {
          calls += 1;
          const first = calls === 1;
          const answer = await run();
          // The first attempt has charged, and hangs with the answer in its hands.
          if (first) await answered.opened;
          return answer;
        },
      }),
    },
    quick,
  );
  const id = await harness.bus.request({ type: 'payment-process', data: payment() });
  await eventually('the first attempt has charged', () => harness.stripe.ledger().length === 1);
  const job = await rows.until('the job runs', id, ({ status }) => status === 'processing');

  harness.stripe.fault({ kind: 'unavailable' });
  await handOverAgain(job.id);
  await rows.until('the second attempt has given up for now', id, ({ status, starts }) => {
    return status === 'pending' && starts === 2;
  });
  answered.open();

  const { data } = await harness.bus.outcomeOf(id);
  expect(data).toMatchObject({ outcome: 'completed', attempts: 2, sequence: 1 });
  expect(data.result).toMatchObject({ chargeId: harness.stripe.ledger()[0]?.chargeId });
  // The third attempt asked nobody: the reference of the first one was in the ledger.
  expect(harness.stripe.ledger()).toMatchObject([{ calls: 2 }]);
  expect(harness.stripe.calls()).toBe(2);
  expect(await rows.moves(job.id)).toEqual([
    'pending → processing',
    'processing → processing',
    'processing → pending (SERVER_ERROR)',
    'pending → processing',
    'processing → completed (DONE)',
  ]);
  expect(await rows.outcomes(job.id)).toEqual(['completed']);
  expect(await service.metrics.registry.metrics()).toMatch(/attempts_fenced_total\{job_type="payment-process"\} 1/);
});

it('a settlement whose COMMIT was answered by nobody is recognised: one outcome', async () => {
  let settles = 0;
  await harness.startService(
    {
      decorate: around({
        settle: async (run) => {
          settles += 1;
          const answer = await run();
          if (settles === 1) throw new CommitUnknownError('the answer to COMMIT did not arrive');
          return answer;
        },
      }),
    },
    quick,
  );
  const id = await harness.bus.request({ type: 'payment-process', data: payment() });

  const { data } = await harness.bus.outcomeOf(id, 'completed');
  await eventually('it was settled a second time', () => settles === 2);
  const job = await rows.find(id);
  expect(job).toMatchObject({ status: 'completed', starts: 1, finishes: 1, sequence: 1 });
  expect(await rows.outcomes(data.jobId ?? '')).toEqual(['completed']);
  expect(harness.stripe.ledger()).toHaveLength(1);
});

it('a result that cannot be stored ends the job as failed in the end, and its neighbours complete', async () => {
  const unstorable: Handler = (payload) => {
    const bad = JSON.stringify(payload).includes('"n":13');
    return Promise.resolve(done({ text: bad ? '\u0000' : 'good' }));
  };
  await harness.startService({ handlers: new Map([['canary-money', unstorable]]) }, quick);
  const options = { timeout: 1_000 };
  const requests = [12, 13, 14].map((n) => ({ type: 'canary-money', data: { n }, options }));
  const [before, bad, after] = await Promise.all(requests.map((request) => harness.bus.request(request)));

  for (const id of [before, after]) expect((await harness.bus.outcomeOf(id ?? '')).data.outcome).toBe('completed');
  const { data } = await harness.bus.outcomeOf(bad ?? '');
  expect(data).toMatchObject({ outcome: 'failed', error: { code: 'RESULT_NOT_STORABLE', replayable: true } });
});

it('while PostgreSQL is away a finished job keeps trying to be settled: one charge, one outcome', async () => {
  const services = await startServices(process.env[SET_VARIABLE] ?? 'test', { log: () => undefined });
  const charged = gate();
  const goOn = gate();
  let failures = 0;
  await harness.startService(
    {
      decorate: around({
        'call provider': async (run) => {
          const answer = await run();
          charged.open();
          await goOn.opened;
          return answer;
        },
        settle: async (run) => {
          try {
            return await run();
          } catch (error) {
            failures += 1;
            throw error;
          }
        },
      }),
    },
    quick,
  );
  const id = await harness.bus.request({ type: 'payment-process', data: payment() });
  await charged.opened;
  await services.postgres.stop();
  try {
    goOn.open();
    await eventually('settling has failed twice', () => failures >= 2);
  } finally {
    await services.postgres.start();
  }

  const { data } = await harness.bus.outcomeOf(id);
  expect(data).toMatchObject({ outcome: 'completed', attempts: 1, sequence: 1 });
  expect(harness.stripe.ledger()).toMatchObject([{ calls: 1 }]);
  expect(await rows.outcomes(data.jobId ?? '')).toEqual(['completed']);
  expect(await rows.find(id)).toMatchObject({ status: 'completed', starts: 1, finishes: 1 });
});

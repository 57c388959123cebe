import { z } from 'zod';
import type { Config } from '../../../src/config';
import type { QueuedJob } from '../../../src/queues/ref';
import { around } from '../../support/around';
import { eventually, openHarness, type Harness } from '../../support/harness';
import {
  heldByRedis,
  jobsByTerminalOutcomes,
  requestCanaries,
  untilClaimed,
  untilCompleted,
} from '../../support/many-jobs';
import { MoneyRows, quick } from '../../support/money';

const WINDOW = 20;
const BATCH = 10;

let harness: Harness;
let rows: MoneyRows;

beforeEach(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
});
afterEach(() => harness?.close());

const held = (): Promise<number> =>
  heldByRedis(harness.environment.redis, harness.environment.variables['QUEUE_PREFIX'] ?? '');
const without = (roles: string): Record<string, string> => ({ ROLES: roles });

const neverOverdue = (config: Config): Config => {
  const { recovery, ...rest } = quick(config);
  return { ...rest, recovery: { ...recovery, overdueEveryMs: 10_000_000 } };
};

it('Redis holds a window of the jobs, and gets the rest by priority and age', async () => {
  const small = { MONEY_WINDOW: `${WINDOW}`, MAX_BATCH: `${BATCH}`, CANARY_CONCURRENCY: '4' };
  const sizes: number[] = [];
  const fed: string[] = [];
  const measured = async (run: () => Promise<unknown>): Promise<unknown> => {
    const answer = await run();
    sizes.push(await held());
    return answer;
  };
  await harness.startService(
    {
      decorate: around({
        enqueue: measured,
        feed: (run, [jobs]) => {
          // The step's own argument, whose type the wrapper has lost.
          fed.push(...(jobs as QueuedJob[]).map(({ jobId }) => jobId));
          return measured(run);
        },
      }),
    },
    quick,
    { ...small, ...without('consumer,relay,scheduler') },
  );
  await requestCanaries(harness.bus, 200, (n) => ({ priority: 1 + (n % 10) }));
  await untilClaimed(harness.environment.pool, 200);
  await eventually('the window is full', async () => (await held()) >= WINDOW);
  // From here on the feeder chooses from jobs that all wait already.
  const before = fed.length;
  await harness.startService({}, quick, { ...small, ...without('worker') });
  await untilCompleted(harness.environment.pool, 200);

  expect(Math.max(...sizes)).toBeLessThanOrEqual(WINDOW + BATCH);
  const later = fed.slice(before);
  expect(later.length).toBeGreaterThanOrEqual(200 - WINDOW - BATCH);
  const { rows: ordered } = await harness.environment.pool.query(
    'SELECT id FROM critical_jobs WHERE id = ANY($1::uuid[]) ORDER BY priority DESC, created_at, id',
    [later],
  );
  expect(later).toEqual(
    z
      .array(z.object({ id: z.string() }))
      .parse(ordered)
      .map(({ id }) => id),
  );
  expect(await jobsByTerminalOutcomes(harness.environment.pool)).toEqual({ 1: 200 });
});

it('a job that is due in more than a minute waits in PostgreSQL until shortly before', async () => {
  await harness.startService({}, neverOverdue);
  const [soon, later] = await Promise.all(
    [30_000, 120_000].map((delay) =>
      harness.bus.request({ type: 'canary-money', data: { n: 1, note: `${delay}` }, options: { delay } }),
    ),
  );
  await untilClaimed(harness.environment.pool, 2);
  await eventually('the one is in Redis', async () => (await held()) === 1);
  const { pool } = harness.environment;
  const queued = async (): Promise<unknown[]> =>
    (await pool.query('SELECT request_id FROM critical_jobs WHERE queued ORDER BY created_at')).rows;
  expect(await queued()).toEqual([{ request_id: soon }]);

  await pool.query(`UPDATE critical_jobs SET run_at = run_at - interval '70 seconds' WHERE request_id = $1`, [later]);
  await eventually('it is fed before it is due', async () => (await held()) === 2);
  await pool.query('UPDATE critical_jobs SET run_at = now() WHERE request_id = $1', [later]);
  expect(await rows.find(later ?? '')).toMatchObject({ status: 'pending', starts: 0 });
});

it('a request whose handing-over was lost with its acknowledgement is handed over when it comes again', async () => {
  // No scheduler anywhere: only the message itself can help.
  const first = await harness.startService(
    { decorate: around({ enqueue: () => Promise.resolve(), ack: () => Promise.resolve() }) },
    quick,
    without('consumer,relay'),
  );
  const id = await harness.bus.request({ type: 'canary-money', data: { n: 1 } });
  await rows.until('it is claimed', id, () => true);
  expect(await held()).toBe(0);
  await first.stop();
  await harness.startService({}, quick, without('consumer,worker,relay'));
  await harness.bus.outcomeOf(id, 'completed');
  expect(await rows.find(id)).toMatchObject({ status: 'completed', dispatch: 1, starts: 1 });
  expect(await jobsByTerminalOutcomes(harness.environment.pool)).toEqual({ 1: 1 });
});

it('a request whose handing-over was lost after its acknowledgement is found when it is overdue', async () => {
  const service = await harness.startService(
    { decorate: around({ enqueue: () => Promise.resolve() }) },
    quick,
    without('consumer,worker,relay,scheduler'),
  );
  const id = await harness.bus.request({ type: 'canary-money', data: { n: 1 } });
  await harness.bus.outcomeOf(id, 'completed');
  expect(await rows.find(id)).toMatchObject({ dispatch: 2, starts: 1 });
  expect(await service.metrics.registry.metrics()).toMatch(/recovered_jobs_total\{reason="overdue"\} 1/);
});

it('a job that Redis may have refused is marked and fed', async () => {
  let refused = 0;
  const service = await harness.startService(
    {
      decorate: around({
        enqueue: (run) => {
          refused += 1;
          return refused === 1 ? Promise.reject(new Error('refused, as the test wants it')) : run();
        },
      }),
    },
    neverOverdue,
  );
  const id = await harness.bus.request({ type: 'canary-money', data: { n: 1 } });
  await harness.bus.outcomeOf(id, 'completed');
  expect(await rows.find(id)).toMatchObject({ dispatch: 2, starts: 1 });
  expect(await service.metrics.registry.metrics()).toMatch(/fed_jobs_total 1/);
});

it('an overdue job that Redis holds is left alone', async () => {
  const service = await harness.startService({}, quick, without('consumer,relay,scheduler'));
  const [id] = await requestCanaries(harness.bus, 1);
  await eventually('Redis has it', async () => (await held()) === 1);
  const { pool } = harness.environment;
  await pool.query(`UPDATE critical_jobs SET run_at = now() - interval '1 hour'`);
  const passes = async (): Promise<number> =>
    Number(/recovery_passes_total\{reason="overdue"\} (\d+)/.exec(await service.metrics.registry.metrics())?.[1] ?? 0);
  const before = await passes();
  await eventually('it was looked at', async () => (await passes()) >= before + 2);
  expect(await rows.find(id ?? '')).toMatchObject({ dispatch: 1, status: 'pending' });
  expect(await held()).toBe(1);
});

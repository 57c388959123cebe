import { cpSync, rmSync } from 'node:fs';
import { Redis } from 'ioredis';
import type { Config } from '../../../src/config';
import type { Service } from '../../../src/service';
import { startServices, type ServiceSet } from '../../../tools/services';
import { around } from '../../support/around';
import { eventually, gate, openHarness, payment, type Harness } from '../../support/harness';
import {
  heldByRedis,
  jobsByTerminalOutcomes,
  requestCanaries,
  untilCaughtUp,
  untilClaimed,
  untilCompleted,
} from '../../support/many-jobs';
import { quick } from '../../support/money';
import { ServiceProcess } from '../../support/service-process';

const SET = 'recovery-redis';

let services: ServiceSet;
let harness: Harness;
let redis: Redis;

beforeAll(async () => {
  services = await startServices(SET, { only: ['redis-money'], environment: {}, log: () => undefined });
  redis = new Redis(services.urls.REDIS_MONEY_URL, { maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
});
afterAll(async () => {
  redis?.disconnect();
  await services?.stop();
});
beforeEach(async () => {
  harness = await openHarness();
});
afterEach(() => harness?.close());

const prefix = (): string => harness.environment.variables['QUEUE_PREFIX'] ?? '';
const own = (roles = 'consumer,worker,relay,scheduler') => ({
  ROLES: roles,
  REDIS_MONEY_URL: services.urls.REDIS_MONEY_URL,
});
const held = (): Promise<number> => heldByRedis(redis, prefix());

/** Nothing is found because it is late: only Redis itself can tell what it lost. */
const neverOverdue = (config: Config): Config => {
  const { recovery, ...rest } = quick(config);
  return { ...rest, recovery: { ...recovery, overdueEveryMs: 10_000_000, overdueByMs: 10_000_000 } };
};

async function countOf(service: Service, metric: string): Promise<number> {
  const line = (await service.metrics.registry.metrics()).split('\n').find((one) => one.startsWith(`${metric} `));
  return Number(line?.split(' ')[1] ?? 0);
}

/** A loss in the middle of a look leads to a pass as at the start: nobody knows then what was lost. */
function untilPass(service: Service, reason: string): Promise<unknown> {
  const passes = (why: string) => countOf(service, `recovery_passes_total{reason="${why}"}`);
  return eventually(`a pass because Redis was ${reason}`, async () => {
    return (await passes(reason)) > 0 || (await passes('started')) > 1;
  });
}

it('emptied while jobs wait, are delayed and run: each ends once, with one charge', async () => {
  const service = await harness.startService({}, neverOverdue, own());
  const slow = harness.stripe.fault({ kind: 'slow', times: 5 });
  const requests = Array.from({ length: 20 }, (_, n) =>
    harness.bus.request({ type: 'payment-process', data: payment(), options: n < 5 ? { delay: 3_000 } : {} }),
  );
  await Promise.all(requests);
  await eventually('five are under way, ten wait and five are delayed', async () => {
    return slow.hits() === 5 && (await held()) === 20;
  });
  await redis.flushall();
  await eventually('Redis has them again', async () => (await held()) > 0);
  slow.release();
  await untilCompleted(harness.environment.pool, 20);
  expect(harness.stripe.ledger()).toHaveLength(20);
  expect(await jobsByTerminalOutcomes(harness.environment.pool)).toEqual({ 1: 20 });
  expect(await countOf(service, 'recovery_passes_total{reason="emptied"}')).toBeGreaterThanOrEqual(1);
  expect(await countOf(service, 'recovered_jobs_total{reason="emptied"}')).toBeGreaterThanOrEqual(15);
});

it('emptied while a worker dies: what it ran is taken up soon, and not when its attempt would be over', async () => {
  const hang = harness.stripe.fault({ kind: 'hang', times: 1 });
  const service = await harness.startService({}, neverOverdue, own('consumer,relay,scheduler'));
  const worker = new ServiceProcess('src/main.ts', { ...harness.environment.variables, ...own('worker') });
  try {
    const options = { timeout: 10 * 60_000 };
    const id = await harness.bus.request({ type: 'payment-process', data: payment(), options });
    await hang.reached;
    await untilCaughtUp(harness.environment.pool);
    await worker.end();
    await redis.flushall();
    // While nobody can know yet that the worker is dead.
    await untilPass(service, 'emptied');
    await harness.startService({}, neverOverdue, own('worker'));
    await harness.bus.outcomeOf(id, 'completed');
    expect(harness.stripe.ledger()).toHaveLength(1);
    expect(await countOf(service, 'recovered_jobs_total{reason="worker_died"}')).toBe(1);
  } finally {
    await worker.end();
  }
});

it('emptied while a worker lives: what it runs is not taken from it', async () => {
  const slow = harness.stripe.fault({ kind: 'slow', times: 1 });
  const service = await harness.startService({}, neverOverdue, own());
  const id = await harness.bus.request({ type: 'payment-process', data: payment() });
  await slow.reached;
  await untilCaughtUp(harness.environment.pool);
  await redis.flushall();
  await untilPass(service, 'emptied');
  expect(await held()).toBe(0);
  slow.release();
  const { data } = await harness.bus.outcomeOf(id, 'completed');
  expect(data.attempts).toBe(1);
  const { rows } = await harness.environment.pool.query('SELECT dispatch, starts FROM critical_jobs');
  expect(rows).toEqual([{ dispatch: 1, starts: 1 }]);
});

it('back in an older state: what it forgot is handed over again, what it still holds is not', async () => {
  const service = await harness.startService({}, neverOverdue, own('consumer,relay,scheduler'));
  await requestCanaries(harness.bus, 10);
  await eventually('Redis has ten', async () => (await held()) === 10);
  await eventually('the mark was left', () => redis.exists(`${prefix()}:{money}:marker`).then((found) => found === 1));
  await services.redis.money.stop();
  const copy = `${services.redis.money.directory}.older`;
  cpSync(services.moneyAofDirectory, copy, { recursive: true });
  await services.redis.money.start();
  await untilPass(service, 'restarted');
  await requestCanaries(harness.bus, 15);
  await eventually('Redis has all', async () => (await held()) === 25);
  const mark = await redis.get(`${prefix()}:{money}:marker`);
  await eventually('the mark has moved on', async () => (await redis.get(`${prefix()}:{money}:marker`)) !== mark);
  await services.redis.money.stop({ signal: 'SIGKILL' });
  rmSync(services.moneyAofDirectory, { recursive: true });
  cpSync(copy, services.moneyAofDirectory, { recursive: true });
  rmSync(copy, { recursive: true });
  await services.redis.money.start();

  await untilPass(service, 'went_back');
  expect(await countOf(service, 'recovered_jobs_total{reason="went_back"}')).toBe(15);
  await harness.startService({}, neverOverdue, own('worker'));
  await untilCompleted(harness.environment.pool, 25);
  expect(await jobsByTerminalOutcomes(harness.environment.pool)).toEqual({ 1: 25 });
});

it('restarted: a pass is made, and workers that were waiting go on by themselves', async () => {
  const service = await harness.startService({}, neverOverdue, own());
  await requestCanaries(harness.bus, 5);
  await untilCompleted(harness.environment.pool, 5);
  await services.redis.money.stop({ signal: 'SIGKILL' });
  await services.redis.money.start();
  await requestCanaries(harness.bus, 5);
  await untilCompleted(harness.environment.pool, 10);
  await untilPass(service, 'restarted');
});

it('away: requests are accepted all the same, and all complete when it is back', async () => {
  await harness.startService({}, quick, own());
  const [first] = await requestCanaries(harness.bus, 1);
  await harness.bus.outcomeOf(first ?? '', 'completed');
  await services.redis.money.stop({ signal: 'SIGKILL' });
  try {
    await requestCanaries(harness.bus, 50);
    await untilClaimed(harness.environment.pool, 51);
    await eventually('all wait in PostgreSQL', async () => {
      const { rows } = await harness.environment.pool.query('SELECT FROM critical_jobs WHERE NOT queued');
      return rows.length === 50;
    });
    await eventually('the messages are acknowledged', async () => {
      return (await harness.bus.channel.checkQueue('queue-service.requests.money')).messageCount === 0;
    });
  } finally {
    await services.redis.money.start();
  }
  await untilCompleted(harness.environment.pool, 51);
  expect(await jobsByTerminalOutcomes(harness.environment.pool)).toEqual({ 1: 51 });
});

it('a pass that breaks off is made again, and only then is the mark remembered', async () => {
  const steps: string[] = [];
  let failures = 0;
  await harness.startService(
    {
      decorate: around({
        'hand over again': async (run) => {
          steps.push('hand over');
          failures += 1;
          if (failures === 1) throw new Error('broken off, as the test wants it');
          return run();
        },
        'remember marker': (run) => {
          steps.push('remember');
          return run();
        },
      }),
    },
    neverOverdue,
    own('consumer,scheduler'),
  );
  await eventually('the mark was left', () => redis.exists(`${prefix()}:{money}:marker`).then((found) => found === 1));
  await requestCanaries(harness.bus, 3);
  await eventually('Redis has three', async () => (await held()) === 3);
  await redis.flushall();
  await eventually('Redis has them again', async () => (await held()) === 3);
  const broken = steps.indexOf('hand over');
  await eventually('the mark is remembered', () => steps.indexOf('remember', broken) > 0);
  expect(steps.slice(broken, broken + 3)).toEqual(['hand over', 'hand over', 'remember']);
});

it('emptied between a look and the next mark, or during a pass: noticed all the same', async () => {
  let flushes = 0;
  const flush = async (): Promise<void> => {
    flushes += 1;
    await redis.flushall();
  };
  let waiting = false;
  await harness.startService(
    {
      decorate: around({
        'leave marker': async (run) => {
          if (waiting && flushes === 0) await flush();
          return run();
        },
        'hand over again': async (run) => {
          const answer = await run();
          if (flushes === 1) await flush();
          return answer;
        },
      }),
    },
    neverOverdue,
    own('consumer,scheduler'),
  );
  await eventually('the mark was left', () => redis.exists(`${prefix()}:{money}:marker`).then((found) => found === 1));
  await requestCanaries(harness.bus, 3);
  await eventually('Redis has three', async () => (await held()) === 3);
  waiting = true;
  await eventually('it was emptied twice', () => flushes === 2);
  await eventually('Redis has them again', async () => (await held()) === 3);
});

it('a leader that hangs in the middle of a pass is replaced, and what it does later has no effect', async () => {
  const hangs = gate();
  const goOn = gate();
  let hung = false;
  await harness.startService(
    {
      decorate: around({
        'hand over again': async (run) => {
          const answer = await run();
          hung = true;
          hangs.open();
          await goOn.opened;
          return answer;
        },
        'keep lease': async (run, args) => {
          const isScheduler = JSON.stringify(args).includes('scheduler');
          if (isScheduler && hung) throw new Error('cut off, as the test wants it');
          return run();
        },
      }),
    },
    neverOverdue,
    own('consumer,scheduler'),
  );
  await requestCanaries(harness.bus, 10);
  await eventually('Redis has ten', async () => (await held()) === 10);
  const service = await harness.startService({}, neverOverdue, own('relay,scheduler'));
  await redis.flushall();
  await hangs.opened;
  await untilPass(service, 'started');
  // The new leader has handed them over under a third number; now the old one does so under the second.
  goOn.open();
  await eventually('Redis has both', async () => (await held()) === 20);
  await harness.startService({}, neverOverdue, own('worker'));
  await untilCompleted(harness.environment.pool, 10);
  await eventually('the late ones are dropped', async () => (await held()) === 0);
  expect(await jobsByTerminalOutcomes(harness.environment.pool)).toEqual({ 1: 10 });
});

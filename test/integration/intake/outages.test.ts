import { randomUUID } from 'node:crypto';
import type { Config } from '../../../src/config';
import { QUEUES } from '../../../src/contract/names';
import type { Service } from '../../../src/service';
import { around } from '../../support/around';
import { eventually, gate, openHarness, type Harness } from '../../support/harness';
import { jobsByStatus } from '../../support/many-jobs';
import { TcpProxy } from '../../support/tcp-proxy';

const CONSUMER = { ROLES: 'consumer' };
/** Everything else: it goes around the lines that are cut. */
const REST = { ROLES: 'worker,relay,scheduler' };

const END_CONNECTIONS = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND application_name = 'queue-service'`;

let harness: Harness;
let line: TcpProxy;

beforeEach(async () => {
  harness = await openHarness();
});
afterEach(async () => {
  line?.resume();
  line?.unblock();
  await harness?.close();
  await line?.close();
});

const ask = (count = 3): Promise<string[]> =>
  Promise.all(
    Array.from({ length: count }, (_, n) =>
      harness.bus.request({ type: 'canary-money', data: { n, note: randomUUID() } }),
    ),
  );
const completed = (ids: string[]) => Promise.all(ids.map((id) => harness.bus.outcomeOf(id, 'completed', 60_000)));
/** Messages that the broker could hand to somebody else: those in the hands of a consumer do not count. */
const waiting = async (): Promise<number> => (await harness.bus.channel.checkQueue(QUEUES.requests.money)).messageCount;
const isPaused = async (service: Service): Promise<boolean> =>
  /intake_paused\{queue="queue-service.requests.money"\} 1/.test(await service.metrics.registry.metrics());
const through = async (name: 'DATABASE_URL' | 'REDIS_MONEY_URL'): Promise<Record<string, string>> => {
  const url = harness.environment.variables[name] ?? '';
  line = await TcpProxy.open(url);
  return { ...CONSUMER, [name]: line.through(url) };
};
const impatient = (config: Config): Config => ({
  ...config,
  database: { ...config.database, statementTimeoutMs: 500 },
});

describe('while PostgreSQL', () => {
  it.each([
    ['refuses every connection', () => line.block(), () => line.unblock()],
    ['does not answer', () => line.silence(), () => line.resume()],
  ])('%s, nothing is acknowledged or held; it goes on by itself afterwards', async (_, fail, heal) => {
    await harness.startService({}, undefined, REST);
    let acks = 0;
    const service = await harness.startService(
      {
        decorate: around({
          ack: (run) => {
            acks += 1;
            return run();
          },
        }),
      },
      impatient,
      await through('DATABASE_URL'),
    );
    await completed(await ask(1));
    await eventually('it is acknowledged', () => acks === 1);
    fail();
    const ids = await ask();

    await eventually('the intake is paused', () => isPaused(service));
    await eventually('the broker has everything back', async () => (await waiting()) === ids.length);
    expect(acks).toBe(1);
    heal();
    await completed(ids);
    expect(await jobsByStatus(harness.environment.pool)).toEqual({ completed: ids.length + 1 });
    await eventually('all are acknowledged', () => acks === 1 + ids.length);
  });

  it('is read-only, as after a failover, nothing is taken', async () => {
    const { pool, variables } = harness.environment;
    const name = new URL(variables['DATABASE_URL'] ?? '').pathname.slice(1);
    // A session that began before may write all the time.
    const admin = await pool.connect();
    const readOnly = async (value: 'on' | 'off'): Promise<void> => {
      await admin.query(`ALTER DATABASE ${name} SET default_transaction_read_only = ${value}`);
      await admin.query(END_CONNECTIONS);
    };
    try {
      const service = await harness.startService();
      await completed(await ask(1));
      await readOnly('on');
      const ids = await ask();
      await eventually('the intake is paused', () => isPaused(service));
      await eventually('the broker has everything back', async () => (await waiting()) === ids.length);
      await readOnly('off');
      await completed(ids);
    } finally {
      admin.release();
    }
  });

  it('ends connections in the middle of claims, every request becomes one job', async () => {
    const { pool } = harness.environment;
    let cuts = 0;
    const service = await harness.startService({
      decorate: around({
        claim: async (run) => {
          const answer = await run();
          if (cuts >= 3) return answer;
          cuts += 1;
          // What was claimed is committed, but nobody here knows it.
          await pool.query(END_CONNECTIONS);
          throw new Error('Connection terminated unexpectedly');
        },
      }),
    });
    const ids = await ask(20);
    await completed(ids);
    expect(cuts).toBe(3);
    expect(await jobsByStatus(pool)).toEqual({ completed: ids.length });
    expect(harness.bus.outcomes.filter(({ data }) => data.outcome !== 'completed')).toEqual([]);
    expect(await service.metrics.registry.metrics()).toMatch(/^redeliveries_total\{/m);
  });
});

describe('while the money Redis', () => {
  it.each([
    ['refuses every connection', () => line.block(), () => line.unblock()],
    ['does not answer', () => line.silence(), () => line.resume()],
  ])('%s, money is accepted all the same, and fed to Redis afterwards', async (_, fail, heal) => {
    const { pool } = harness.environment;
    const variables = await through('REDIS_MONEY_URL');
    let acks = 0;
    const overrides = {
      decorate: around({
        ack: (run) => {
          acks += 1;
          return run();
        },
      }),
    };
    // All roles stand behind the line.
    await harness.startService(overrides, undefined, { ...variables, ROLES: 'consumer,worker,relay,scheduler' });
    await completed(await ask(1));
    await eventually('it is acknowledged', () => acks === 1);
    fail();
    const ids = await ask();

    await eventually('all are acknowledged', () => acks === 1 + ids.length);
    const { rows } = await pool.query(`SELECT queued, status FROM critical_jobs WHERE request_id = ANY($1)`, [ids]);
    expect(rows).toEqual(ids.map(() => ({ queued: false, status: 'pending' })));
    heal();
    await completed(ids);
    expect(await jobsByStatus(pool)).toEqual({ completed: ids.length + 1 });
  });
});

describe('a pause', () => {
  it('takes hold although requests never cease, and ends by itself', async () => {
    const { redis } = harness.environment;
    const more = gate();
    let asking = true;
    const ids: string[] = [];
    const service = await harness.startService({
      decorate: around({
        ack: async (run) => {
          // Whenever one is done there is another: the batches never come to an end by themselves.
          if (asking) ids.push(...(await ask(1)));
          if (ids.length > 20) more.open();
          return run();
        },
      }),
    });
    ids.push(...(await ask(5)));
    await more.opened;
    try {
      await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
      service.checkProofs();
      await eventually('the intake is paused', () => isPaused(service));
      await eventually('the rest waits at the broker', async () => (await waiting()) > 0);
      asking = false;
    } finally {
      await redis.config('SET', 'maxmemory-policy', 'noeviction');
    }
    service.checkProofs();
    await completed(ids);
  });

  it('asked for while PostgreSQL is away ends when both are well', async () => {
    const { redis } = harness.environment;
    await harness.startService({}, undefined, REST);
    const service = await harness.startService({}, impatient, await through('DATABASE_URL'));
    await completed(await ask(1));
    line.block();
    const ids = await ask();
    await eventually('the intake is paused', () => isPaused(service));
    try {
      await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
      service.checkProofs();
      const violated = /durability_proof\{proof="money_redis_noeviction"\} 0/;
      await eventually('it is noticed', async () => violated.test(await service.metrics.registry.metrics()));
    } finally {
      await redis.config('SET', 'maxmemory-policy', 'noeviction');
    }
    line.unblock();
    service.checkProofs();
    await completed(ids);
  });
});

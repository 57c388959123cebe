import { Redis } from 'ioredis';
import { createService, type Service } from '../../../src/service';
import { loadConfig } from '../../../src/config';
import { TopologyMismatchError } from '../../../src/topology/assert';
import { startServices, type ServiceSet } from '../../../tools/services';
import { eventually, openHarness, type Harness } from '../../support/harness';
import { requestCanaries, untilCompleted } from '../../support/many-jobs';
import { ServiceProcess } from '../../support/service-process';
import { TcpProxy } from '../../support/tcp-proxy';

const SET = 'recovery-proofs';
const MONEY_REQUESTS = 'queue-service.requests.money';

let services: ServiceSet;
let redis: Redis;
let harness: Harness;

beforeAll(async () => {
  services = await startServices(SET, { only: ['redis-money'], environment: {}, log: () => undefined });
  redis = new Redis(services.urls.REDIS_MONEY_URL, { maxRetriesPerRequest: null });
});
afterAll(async () => {
  redis?.disconnect();
  await services?.stop();
});
beforeEach(async () => {
  harness = await openHarness();
});
afterEach(async () => {
  await redis.config('SET', 'maxmemory-policy', 'noeviction');
  await redis.config('SET', 'appendonly', 'yes');
  await harness?.close();
});

const variables = (): Record<string, string> => ({ REDIS_MONEY_URL: services.urls.REDIS_MONEY_URL });

async function proofOf(service: Service, proof: string): Promise<number> {
  const found = new RegExp(`^durability_proof\\{proof="${proof}"\\} (-?\\d)$`, 'm').exec(
    await service.metrics.registry.metrics(),
  );
  return Number(found?.[1] ?? Number.NaN);
}

const queue = () => harness.bus.channel.checkQueue(MONEY_REQUESTS);

it('all is proven on the servers of the tests', async () => {
  const service = await harness.startService({}, undefined, variables());
  for (const proof of ['money_redis_noeviction', 'money_redis_aof', 'synchronous_commit', 'quorum_queues']) {
    expect([proof, await proofOf(service, proof)]).toEqual([proof, 1]);
  }
});

it('a Redis that may evict jobs pauses the intake until it is mended; what comes meanwhile waits with the broker', async () => {
  const service = await harness.startService({}, undefined, variables());
  await requestCanaries(harness.bus, 1);
  await untilCompleted(harness.environment.pool, 1);
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  service.checkProofs();
  await eventually('the channel is closed', async () => (await queue()).consumerCount === 0);
  expect(await proofOf(service, 'money_redis_noeviction')).toBe(0);
  await requestCanaries(harness.bus, 5);
  await eventually('the intake says that it is paused', async () =>
    (await service.metrics.registry.metrics()).includes(`intake_paused{queue="${MONEY_REQUESTS}"} 1`),
  );
  expect(await queue()).toMatchObject({ messageCount: 5, consumerCount: 0 });
  await redis.config('SET', 'maxmemory-policy', 'noeviction');
  service.checkProofs();
  await untilCompleted(harness.environment.pool, 6);
  expect(await proofOf(service, 'money_redis_noeviction')).toBe(1);
});

it('under load too: the intake does not wait for its queue to run dry', async () => {
  const service = await harness.startService({}, undefined, { ...variables(), MAX_BATCH: '1', CONSUMER_PREFETCH: '2' });
  const publishing = requestCanaries(harness.bus, 1_000);
  await eventually('it is at work', async () => {
    const { rows } = await harness.environment.pool.query('SELECT FROM critical_jobs LIMIT 5');
    return rows.length === 5;
  });
  await redis.config('SET', 'maxmemory-policy', 'volatile-lru');
  service.checkProofs();
  await publishing;
  await eventually('the channel is closed', async () => (await queue()).consumerCount === 0);
  expect((await queue()).messageCount).toBeGreaterThan(0);
});

it('without an append-only file it warns, and takes requests all the same', async () => {
  const service = await harness.startService({}, undefined, variables());
  await redis.config('SET', 'appendonly', 'no');
  service.checkProofs();
  await eventually('it is noticed', async () => (await proofOf(service, 'money_redis_aof')) === 0);
  await requestCanaries(harness.bus, 1);
  await untilCompleted(harness.environment.pool, 1);
});

it('commits that can be lost are noticed, and what cannot be seen is unknown', async () => {
  const url = new URL(harness.environment.variables['DATABASE_URL'] ?? '');
  await harness.environment.pool.query(`ALTER DATABASE ${url.pathname.slice(1)} SET synchronous_commit = off`);
  const service = await harness.startService({}, undefined, { ...variables(), RABBITMQ_MANAGEMENT_URL: '' });
  expect(await proofOf(service, 'synchronous_commit')).toBe(0);
  expect(await proofOf(service, 'quorum_queues')).toBe(-1);
  await requestCanaries(harness.bus, 1);
  await untilCompleted(harness.environment.pool, 1);
});

it('a weak queue is noticed', async () => {
  const service = await harness.startService({}, undefined, { ...variables(), ROLES: 'relay' });
  await harness.bus.channel.deleteQueue(MONEY_REQUESTS);
  service.checkProofs();
  await eventually('it is noticed', async () => (await proofOf(service, 'quorum_queues')) === 0);
});

it('a Redis that evicts from the start: the process lives, takes nothing, and its log says why', async () => {
  await redis.config('SET', 'maxmemory-policy', 'allkeys-random');
  await requestCanaries(harness.bus, 1);
  const program = new ServiceProcess('src/main.ts', {
    ...harness.environment.variables,
    ...variables(),
    LOG_LEVEL: 'warn',
  });
  try {
    await eventually('the log says why', () =>
      /intake paused.*maxmemory-policy is allkeys-random/.test(program.output),
    );
    expect(program.gone).toBe(false);
    expect(await queue()).toMatchObject({ messageCount: 1, consumerCount: 0 });
  } finally {
    await program.end();
  }
});

describe('a broker that contradicts the topology', () => {
  beforeEach(async () => {
    const { channel } = harness.bus;
    await channel.deleteQueue(MONEY_REQUESTS);
    await channel.assertQueue(MONEY_REQUESTS, { durable: true });
  });

  it('is refused at start, with nothing left open', async () => {
    const broker = await TcpProxy.open(harness.environment.variables['AMQP_URL'] ?? '');
    const service = createService(
      loadConfig({
        ...harness.environment.variables,
        AMQP_URL: broker.through(harness.environment.variables['AMQP_URL'] ?? ''),
      }),
    );
    try {
      await expect(service.start()).rejects.toThrow(TopologyMismatchError);
      await eventually('every connection is closed', () => broker.open === 0);
    } finally {
      await broker.close();
    }
  });

  it('ends the process with a message that names it', async () => {
    const program = new ServiceProcess('src/main.ts', { ...harness.environment.variables, LOG_LEVEL: 'silent' });
    try {
      expect(await program.exited).toBe(1);
      expect(program.output).toMatch(/the broker disagrees with the topology: .*queue-service\.requests\.money/);
    } finally {
      await program.end();
    }
  });
});

import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { QUEUES } from '../../../src/contract/names';
import { startServices, type ServiceSet } from '../../../tools/services';
import { around } from '../../support/around';
import { eventually, openHarness, type Harness } from '../../support/harness';

/** A Redis of a lower tier that is there and must not, or cannot, be given anything. */
const QUEUE = QUEUES.requests.communication;

let services: ServiceSet;
let redis: Redis;
let harness: Harness;
let claims: number;

beforeAll(async () => {
  services = await startServices('tiers-unfit', {
    only: ['redis-communication'],
    environment: {},
    log: () => undefined,
  });
  redis = new Redis(services.urls.REDIS_COMMUNICATION_URL, { maxRetriesPerRequest: null });
});
afterAll(async () => {
  redis?.disconnect();
  await services?.stop();
});
beforeEach(async () => {
  harness = await openHarness();
  claims = 0;
});
afterEach(async () => {
  await redis.config('SET', 'maxmemory-policy', 'noeviction');
  await redis.config('SET', 'maxmemory', '0');
  await redis.config('SET', 'min-replicas-to-write', '0');
  await redis.replicaof('NO', 'ONE');
  await harness?.close();
});

const start = () =>
  harness.startService(
    {
      decorate: around({
        claim: (run) => {
          claims += 1;
          return run();
        },
      }),
    },
    undefined,
    { REDIS_COMMUNICATION_URL: services.urls.REDIS_COMMUNICATION_URL },
  );
const ask = (tier: 'money' | 'communication') =>
  harness.bus.request({ type: `canary-${tier}`, data: { n: 1, note: randomUUID() } });
const inBroker = () => harness.bus.channel.checkQueue(QUEUE);

async function refusedWrites(): Promise<number> {
  const statistics = await redis.info('commandstats');
  return Number(/^cmdstat_set:.*rejected_calls=(\d+)/m.exec(statistics)?.[1] ?? 0);
}

it.each([
  ['has no memory left', () => redis.config('SET', 'maxmemory', '1'), () => redis.config('SET', 'maxmemory', '0')],
  ['has become a replica', () => redis.replicaof('127.0.0.1', '1'), () => redis.replicaof('NO', 'ONE')],
  [
    'has lost its replicas',
    () => redis.config('SET', 'min-replicas-to-write', '1'),
    () => redis.config('SET', 'min-replicas-to-write', '0'),
  ],
])('one that %s is left alone until it takes writes again: no delivery is spent on it', async (_, fail, heal) => {
  await redis.config('RESETSTAT');
  await start();
  await harness.bus.outcomeOf(await ask('communication'), 'completed');
  claims = 0;
  await fail();
  const requests = await Promise.all([ask('communication'), ask('communication')]);
  await eventually('it has looked again, several times', async () => claims >= 4 || (await refusedWrites()) >= 4);
  expect(claims).toBeLessThanOrEqual(1);
  expect(await inBroker()).toMatchObject({ messageCount: 2, consumerCount: 0 });
  await harness.bus.outcomeOf(await ask('money'), 'completed');

  await heal();
  for (const id of requests) await harness.bus.outcomeOf(id, 'completed');
});

it('one that may evict jobs pauses the intake of its tier until it is mended; the others go on', async () => {
  const service = await start();
  const proof = async (): Promise<string | undefined> =>
    /durability_proof\{proof="communication_redis_noeviction"\} (-?\d)/.exec(
      await service.metrics.registry.metrics(),
    )?.[1];
  await harness.bus.outcomeOf(await ask('communication'), 'completed');
  expect(await proof()).toBe('1');
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  service.checkProofs();
  await eventually('the channel is closed', async () => (await inBroker()).consumerCount === 0);
  expect(await proof()).toBe('0');
  const id = await ask('communication');
  await harness.bus.outcomeOf(await ask('money'), 'completed');
  expect(await inBroker()).toMatchObject({ messageCount: 1, consumerCount: 0 });

  await redis.config('SET', 'maxmemory-policy', 'noeviction');
  service.checkProofs();
  await harness.bus.outcomeOf(id, 'completed');
  expect(await proof()).toBe('1');
});

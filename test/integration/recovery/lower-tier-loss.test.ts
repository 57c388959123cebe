import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { QUEUE_POLICIES } from '../../../src/catalogue/queues';
import { LOWER_TIERS, type LowerTier } from '../../../src/contract/names';
import type { Handler } from '../../../src/handlers/handler';
import { done } from '../../../src/handlers/outcome';
import type { Service } from '../../../src/service';
import { startServices, type ServiceSet } from '../../../tools/services';
import { eventually, gate, openHarness, type Harness, type RequestParts } from '../../support/harness';
import { quick } from '../../support/money';

let services: ServiceSet;
let redis: Record<LowerTier, Redis>;
let harness: Harness;
/** What the canaries wait for, and which of them ran. */
let ending = gate();
let ran: number[] = [];

beforeAll(async () => {
  services = await startServices('recovery-lower', {
    only: ['redis-communication', 'redis-background'],
    environment: {},
    log: () => undefined,
  });
  const { REDIS_COMMUNICATION_URL, REDIS_BACKGROUND_URL } = services.urls;
  redis = { communication: connectTo(REDIS_COMMUNICATION_URL), background: connectTo(REDIS_BACKGROUND_URL) };
});
afterAll(async () => {
  for (const one of Object.values(redis ?? {})) one.disconnect();
  await services?.stop();
});
beforeEach(async () => {
  harness = await openHarness();
  ending = gate();
  ran = [];
});
afterEach(async () => {
  ending.open();
  await harness?.close();
});

function connectTo(url: string): Redis {
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  connection.on('error', () => undefined);
  return connection;
}

const canary: Handler = async (payload) => {
  const { n } = z.object({ n: z.number() }).parse(payload);
  ran.push(n);
  await ending.opened;
  return done({ n });
};

function start(roles = 'consumer,worker,relay,scheduler'): Promise<Service> {
  const handlers = new Map(LOWER_TIERS.map((tier) => [`canary-${tier}`, canary]));
  const { REDIS_COMMUNICATION_URL, REDIS_BACKGROUND_URL } = services.urls;
  // So few at a time that others wait, and lose their place when their Redis does.
  const variables = { ROLES: roles, REDIS_COMMUNICATION_URL, REDIS_BACKGROUND_URL, CANARY_CONCURRENCY: '10' };
  return harness.startService({ handlers }, quick, variables);
}

let asked = 0;
const ask = (tier: LowerTier, count: number, over: Partial<RequestParts> = {}): Promise<string[]> =>
  Promise.all(
    Array.from({ length: count }, () => {
      asked += 1;
      return harness.bus.request({ type: `canary-${tier}`, data: { n: asked, note: randomUUID() }, ...over });
    }),
  );

async function metricOf(service: Service, name: string, labels: Record<string, string>): Promise<number> {
  const metric = await service.metrics.registry.getSingleMetric(name)?.get();
  const value = metric?.values.find((one) => Object.entries(labels).every(([key, label]) => one.labels[key] === label));
  return value?.value ?? 0;
}
const lostOf = (service: Service, tier: LowerTier): Promise<number> =>
  metricOf(service, 'jobs_unaccounted', { queue_name: QUEUE_POLICIES[tier].queueName });
const forgotOf = (service: Service, tier: LowerTier, reason: string): Promise<number> =>
  metricOf(service, 'tier_redis_forgot_total', { queue_name: QUEUE_POLICIES[tier].queueName, reason });

const counts = z.array(z.object({ accepted: z.number() }));

async function accepted(tier: LowerTier): Promise<number> {
  const { rows } = await harness.environment.pool.query(
    'SELECT COALESCE(sum(accepted), 0)::int AS accepted FROM queue_counts WHERE queue_name = $1',
    [QUEUE_POLICIES[tier].queueName],
  );
  return counts.parse(rows)[0]?.accepted ?? 0;
}

const answers = (requests: string[]): number[] => requests.map((id) => harness.bus.outcomesOf(id).length);
const unanswered = (requests: string[]): number => answers(requests).filter((count) => count === 0).length;
const untilAccepted = (tier: LowerTier, count: number): Promise<unknown> =>
  eventually(`${count} requests came in`, async () => (await accepted(tier)) >= count);

async function untilMarkMoves(tier: LowerTier): Promise<void> {
  const key = `${harness.environment.variables['QUEUE_PREFIX']}:{${tier}}:marker`;
  const mark = await redis[tier].get(key);
  await eventually('the mark has moved on', async () => (await redis[tier].get(key)) !== mark);
}

describe.each(LOWER_TIERS)('the Redis of the %s tier', (tier) => {
  it('emptied while requests come in, wait and run: each has ended, once, or is counted as lost', async () => {
    const service = await start();
    ending.open();
    const calm = await ask(tier, 100);
    await eventually('all of them end', () => unanswered(calm) === 0);
    await untilMarkMoves(tier);
    await eventually('nothing is lost', async () => (await lostOf(service, tier)) === 0);
    expect(await forgotOf(service, tier, 'emptied')).toBe(0);

    ending = gate();
    ran = [];
    const before = await ask(tier, 100);
    await eventually('some run', () => ran.length >= 10);
    const [during] = await Promise.all([ask(tier, 200), untilAccepted(tier, 250).then(() => redis[tier].flushall())]);
    const after = await ask(tier, 50);
    ending.open();
    await untilAccepted(tier, 450);

    const requests = [...before, ...during, ...after];
    const lost = await eventually('the books are closed', async () => {
      const missing = unanswered(requests);
      return missing === (await lostOf(service, tier)) ? missing : undefined;
    });
    expect(lost).toBeGreaterThan(0);
    expect(answers(requests).filter((count) => count > 1)).toEqual([]);
    expect(unanswered(after)).toBe(0);
    expect(await forgotOf(service, tier, 'emptied')).toBe(1);
  });
});

it('back at a snapshot: what has ended since is not run again, what has come since is lost', async () => {
  const keeper = await start('consumer,relay,scheduler');
  const old = await ask('communication', 10);
  await untilAccepted('communication', 10);
  await untilMarkMoves('communication');
  await redis.communication.save();
  await untilMarkMoves('communication');
  const worker = await start('worker');
  ending.open();
  await eventually('the old ones end', () => unanswered(old) === 0);
  await worker.stop();
  const idempotencyKey = randomUUID();
  const [young = ''] = await ask('communication', 1, { idempotencyKey, data: { n: -1 } });
  await untilAccepted('communication', 11);

  await services.redis.communication.stop({ signal: 'SIGKILL' });
  await services.redis.communication.start();
  await eventually('it is noticed', async () => (await forgotOf(keeper, 'communication', 'went_back')) === 1);
  await start('worker');
  await eventually('the young one is lost', async () => (await lostOf(keeper, 'communication')) === 1);
  const [again = ''] = await ask('communication', 1, { idempotencyKey, data: { n: -1 } });
  await harness.bus.outcomeOf(again, 'completed');
  expect(answers(old)).toEqual(old.map(() => 1));
  expect(ran.filter((n) => n > 0)).toHaveLength(10);
  expect(answers([young])).toEqual([0]);
});

it('stopped in good order: what waits in the communication tier is kept, in the background tier it is lost', async () => {
  const keeper = await start('consumer,relay,scheduler');
  const requests = { communication: await ask('communication', 5), background: await ask('background', 5) };
  for (const tier of LOWER_TIERS) {
    await untilAccepted(tier, 5);
    await untilMarkMoves(tier);
    await services.redis[tier].stop();
    await services.redis[tier].start();
    await untilMarkMoves(tier);
  }
  expect(await forgotOf(keeper, 'communication', 'restarted')).toBe(0);
  await eventually('it is noticed', async () => (await forgotOf(keeper, 'background', 'emptied')) === 1);
  ending.open();
  await start('worker');
  await eventually('those that were kept end', () => unanswered(requests.communication) === 0);
  await eventually('the others are counted', async () => (await lostOf(keeper, 'background')) === 5);
  expect(unanswered(requests.background)).toBe(5);
  expect(await lostOf(keeper, 'communication')).toBe(0);
});

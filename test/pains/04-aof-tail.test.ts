import { readdirSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { startServices, type ServiceSet } from '../../tools/services';
import { eventually, openHarness, type Harness } from '../support/harness';
import {
  heldByRedis,
  jobsByTerminalOutcomes,
  requestCanaries,
  untilClaimed,
  untilCompleted,
} from '../support/many-jobs';
import { quick } from '../support/money';

const JOBS = 2_000;
const LIMIT_MS = 60_000;

let services: ServiceSet;
let harness: Harness;
let redis: Redis;

beforeAll(async () => {
  services = await startServices('pain-4', { only: ['redis-money'], environment: {}, log: () => undefined });
  harness = await openHarness();
  redis = new Redis(services.urls.REDIS_MONEY_URL, { maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
});
afterAll(async () => {
  redis?.disconnect();
  await harness?.close();
  await services?.stop();
});

const prefix = (): string => harness.environment.variables['QUEUE_PREFIX'] ?? '';
const fileSize = (): number => statSync(newestFile()).size;

function newestFile(): string {
  const folder = services.moneyAofDirectory;
  const [file] = readdirSync(folder)
    .filter((name) => name.endsWith('.incr.aof'))
    .sort()
    .slice(-1);
  return path.join(folder, file ?? '');
}

/** As after a power cut: Redis comes back without what it had not brought to the disk. */
async function loseFrom(size: number): Promise<void> {
  await services.redis.money.stop({ signal: 'SIGKILL' });
  truncateSync(newestFile(), size);
  await services.redis.money.start();
}

it(
  'pain 4: bare BullMQ loses the jobs that Redis had acknowledged and not yet brought to the disk',
  async () => {
    const queue = new Queue('bare-money', { connection: { url: services.urls.REDIS_MONEY_URL }, prefix: prefix() });
    queue.on('error', () => undefined);
    try {
      const add = (from: number) =>
        queue.addBulk(Array.from({ length: JOBS / 2 }, (_, n) => ({ name: 'charge', data: { n: from + n } })));
      await add(0);
      const safe = fileSize();
      const acknowledged = [...(await add(JOBS / 2))];
      expect(acknowledged).toHaveLength(JOBS / 2);
      await loseFrom(safe);
      // Nobody is told: the adds had succeeded.
      expect(await queue.getWaitingCount()).toBeLessThan(JOBS);
    } finally {
      await queue.close();
    }
  },
  LIMIT_MS,
);

it(
  'pain 4: ours ends every request once, although Redis lost the last of them',
  async () => {
    const own = { REDIS_MONEY_URL: services.urls.REDIS_MONEY_URL };
    await harness.startService({}, quick, { ...own, ROLES: 'consumer,relay,scheduler' });
    await requestCanaries(harness.bus, JOBS / 2);
    await untilClaimed(harness.environment.pool, JOBS / 2);
    const held = (): Promise<number> => heldByRedis(redis, prefix());
    await eventually('Redis has half of them', async () => (await held()) === JOBS / 2);
    const safe = fileSize();
    const rest = requestCanaries(harness.bus, JOBS / 2);
    await eventually('Redis has some of the others', async () => (await held()) > (JOBS * 3) / 5);
    await loseFrom(safe);
    await rest;
    await harness.startService({}, undefined, { ...own, ROLES: 'worker' });
    await untilCompleted(harness.environment.pool, JOBS, LIMIT_MS);
    expect(await jobsByTerminalOutcomes(harness.environment.pool)).toEqual({ 1: JOBS });
    const { rows } = await harness.environment.pool.query('SELECT FROM critical_jobs WHERE starts <> 1');
    expect(rows).toHaveLength(0);
  },
  LIMIT_MS,
);

import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'amqplib';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { removeServices, type ServiceSet, startServices, statusOf, stopServices } from '../../tools/services';
import { findBinaries } from '../../tools/services/binaries';
import { setDirectory } from '../../tools/services/layout';
import { updateState } from '../../tools/services/state';

const SET = `services-test-${process.pid}`;
const OTHER = `${SET}-other`;
/** Servers of our own, even where the run as a whole uses those of the environment. */
const OWN = { environment: {} };

const describeWhereInstalled = findBinaries().missing.length === 0 ? describe : describe.skip;

describeWhereInstalled('the local services', () => {
  let services: ServiceSet;

  beforeAll(async () => {
    services = await startServices(SET, OWN);
  });

  afterAll(async () => {
    await removeServices(SET);
    await removeServices(OTHER);
  });

  test('PostgreSQL answers and commits durably', async () => {
    const client = new Client({ connectionString: services.urls.DATABASE_URL, connectionTimeoutMillis: 5_000 });
    await client.connect();
    try {
      for (const [name, expected] of Object.entries({
        fsync: 'on',
        synchronous_commit: 'on',
        max_connections: '200',
      })) {
        const { rows } = await client.query<Record<string, string>>(`show ${name}`);
        expect(rows).toEqual([{ [name]: expected }]);
      }
    } finally {
      await client.end();
    }
  });

  test.each([
    ['money', 'REDIS_MONEY_URL', { appendonly: 'yes', appendfsync: 'everysec', save: '' }],
    ['communication', 'REDIS_COMMUNICATION_URL', { appendonly: 'no', save: '300 100' }],
    ['background', 'REDIS_BACKGROUND_URL', { appendonly: 'no', save: '' }],
  ] as const)('the %s Redis answers, never evicts, and persists as its tier does', async (_tier, url, persistence) => {
    await withRedis(services.urls[url], async (client) => {
      for (const [name, expected] of Object.entries({ 'maxmemory-policy': 'noeviction', ...persistence })) {
        expect(await configured(client, name)).toBe(expected);
      }
    });
  });

  test('RabbitMQ takes a quorum queue, and its management answers', async () => {
    const connection = await connect(services.urls.AMQP_URL, { timeout: 5_000 });
    try {
      const channel = await connection.createChannel();
      await channel.assertQueue('trial', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
      await channel.deleteQueue('trial');
    } finally {
      await connection.close();
    }
    const { origin, username, password } = new URL(services.urls.RABBITMQ_MANAGEMENT_URL);
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const answer = await fetch(`${origin}/api/overview`, {
      headers: { authorization },
      signal: AbortSignal.timeout(5_000),
    });
    expect(answer.status).toBe(200);
  });

  test('starting what is up starts nothing, and its stop stops nothing', async () => {
    const before = statusOf(SET);
    const [again, alsoAgain] = await Promise.all([startServices(SET, OWN), startServices(SET, OWN)]);
    expect([again.startedHere, alsoAgain.startedHere]).toEqual([false, false]);
    expect(again.urls).toEqual(services.urls);
    await again.stop();
    expect(statusOf(SET)).toEqual(before);
    expect(before.every(({ pid }) => pid !== undefined)).toBe(true);
  });

  test('the money Redis comes back after kill -9 with what it had acknowledged', async () => {
    const pidBefore = pidOf(SET, 'redis-money');
    await withRedis(services.urls.REDIS_MONEY_URL, (client) => client.set('paid', 'yes'));
    await services.redis.money.stop({ signal: 'SIGKILL' });
    expect(pidOf(SET, 'redis-money')).toBeUndefined();
    await services.redis.money.start();
    expect(pidOf(SET, 'redis-money')).not.toBe(pidBefore);
    await withRedis(services.urls.REDIS_MONEY_URL, async (client) => expect(await client.get('paid')).toBe('yes'));
    expect(readdirSync(services.moneyAofDirectory).some((name) => name.endsWith('.incr.aof'))).toBe(true);
  });

  test('PostgreSQL comes back after kill -9', async () => {
    await services.postgres.stop({ signal: 'SIGKILL' });
    await services.postgres.start();
    expect(pidOf(SET, 'postgres')).toBeDefined();
  });

  test('a stop ends only its own servers, and no stranger that has got a recorded pid', async () => {
    const other = await startServices(OTHER, { ...OWN, only: ['redis-money', 'redis-background'] });
    expect(other.startedHere).toBe(true);
    await other.redis.background.stop();
    const stranger = spawn('sleep', ['60'], { stdio: 'ignore' });
    try {
      updateState(OTHER, (state) => {
        if (stranger.pid !== undefined) state.pids['redis-background'] = stranger.pid;
      });
      await stopServices(OTHER);
      expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    } finally {
      stranger.kill();
    }
    expect(statusOf(OTHER).some(({ pid }) => pid !== undefined)).toBe(false);
    expect(statusOf(SET).every(({ pid }) => pid !== undefined)).toBe(true);
    await removeServices(OTHER);
    expect(existsSync(setDirectory(OTHER))).toBe(false);
  });
});

const pidOf = (set: string, server: string): number | undefined =>
  statusOf(set).find(({ name }) => name === server)?.pid;

async function withRedis<Value>(url: string, work: (client: Redis) => Promise<Value>): Promise<Value> {
  const client = new Redis(url, { maxRetriesPerRequest: 1, commandTimeout: 5_000 });
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

async function configured(client: Redis, name: string): Promise<string | undefined> {
  const answer = await client.config('GET', name);
  return Array.isArray(answer) ? String(answer[1]) : undefined;
}

import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { Client, Pool } from 'pg';
import type { LowerTier } from '../../../src/contract/names';
import { sha256 } from '../../../src/platform/ids';
import { migrate } from '../../../src/migrate';

/** Servers of the test set, and a database, a virtual host and a Redis prefix that only one test file uses. */
export interface TestEnvironment {
  /** What the service would find in its environment. */
  variables: Record<string, string>;
  /** Looks into the service's database. */
  pool: Pool;
  /** The money tier's. */
  redis: Redis;
  lowerRedis: Record<LowerTier, Redis>;
  limiterRedis: Redis;
  remove: () => Promise<void>;
}

const SECRET = 'a secret that is only good for tests, at least 32 characters';

/** @param stripeUrl where the payment provider's stand-in listens */
export async function createTestEnvironment(stripeUrl: string): Promise<TestEnvironment> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const databaseUrl = await createDatabase(name);
  const amqpUrl = await createVirtualHost(name);
  const redisUrl = required('REDIS_MONEY_URL');
  const pool = new Pool({ connectionString: databaseUrl, max: 3 });
  // The database is dropped under the pool at the end.
  pool.on('error', () => undefined);
  const redis = connectTo(redisUrl);
  const lower = { communication: required('REDIS_COMMUNICATION_URL'), background: required('REDIS_BACKGROUND_URL') };
  const limiterUrl = required('REDIS_LIMITER_URL');
  const limiterRedis = connectTo(limiterUrl);
  const lowerRedis = { communication: connectTo(lower.communication), background: connectTo(lower.background) };
  return {
    variables: {
      PORT: '0',
      DATABASE_URL: databaseUrl,
      AMQP_URL: amqpUrl,
      REDIS_MONEY_URL: redisUrl,
      REDIS_COMMUNICATION_URL: lower.communication,
      REDIS_BACKGROUND_URL: lower.background,
      REDIS_LIMITER_URL: limiterUrl,
      RABBITMQ_MANAGEMENT_URL: required('RABBITMQ_MANAGEMENT_URL'),
      QUEUE_PREFIX: name,
      IDEMPOTENCY_KEY_SECRET: SECRET,
      STRIPE_SECRET_KEY: 'sk_test_local',
      STRIPE_API_BASE: stripeUrl,
      // Tests that are about limits set them.
      RATE_LIMIT_STRIPE: '10000',
      RATE_LIMIT_SENDGRID: '10000',
      RATE_LIMIT_TWILIO: '10000',
      RATE_LIMIT_PUSH: '10000',
      RATE_LIMIT_INTERNAL: '10000',
      LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
    },
    pool,
    redis,
    lowerRedis,
    limiterRedis,
    remove: async () => {
      await pool.end();
      for (const one of [redis, ...Object.values(lowerRedis), limiterRedis]) {
        await removeRedisKeys(one, name);
        one.disconnect();
      }
      await dropDatabase(name);
      await managementCall('DELETE', `/api/vhosts/${name}`);
    },
  };
}

/** Migrated once for each state of the migrations; every test file gets a copy. */
async function createDatabase(name: string): Promise<string> {
  const template = `template_${migrationsDigest()}`;
  await withAdmin(async (admin) => {
    // Two test processes may come to this point together.
    await admin.query('SELECT pg_advisory_lock(4711)');
    const exists = await admin.query('SELECT FROM pg_database WHERE datname = $1', [template]);
    if (exists.rowCount === 0) {
      await admin.query(`DROP DATABASE IF EXISTS ${template}_new`);
      await admin.query(`CREATE DATABASE ${template}_new`);
      await migrate(urlOf(`${template}_new`));
      await admin.query(`ALTER DATABASE ${template}_new RENAME TO ${template}`);
    }
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  });
  return urlOf(name);
}

function migrationsDigest(): string {
  const folder = path.join(__dirname, '../../../migrations');
  return sha256(
    readdirSync(folder)
      .map((file) => readFileSync(path.join(folder, file), 'utf8'))
      .join(),
  ).slice(0, 12);
}

async function dropDatabase(name: string): Promise<void> {
  await withAdmin((admin) => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
}

async function withAdmin(work: (admin: Client) => Promise<unknown>): Promise<void> {
  const admin = new Client({ connectionString: required('DATABASE_URL') });
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}

function urlOf(database: string): string {
  const url = new URL(required('DATABASE_URL'));
  url.pathname = `/${database}`;
  return url.toString();
}

async function createVirtualHost(name: string): Promise<string> {
  const url = new URL(required('AMQP_URL'));
  await managementCall('PUT', `/api/vhosts/${name}`);
  await managementCall('PUT', `/api/permissions/${name}/${url.username}`, { configure: '.*', write: '.*', read: '.*' });
  url.pathname = `/${name}`;
  return url.toString();
}

/** The broker's management API. */
export async function managementCall(method: string, at: string, body?: unknown): Promise<unknown> {
  const url = new URL(at, required('RABBITMQ_MANAGEMENT_URL'));
  const { username, password } = url;
  // fetch refuses URLs with credentials in them.
  url.username = '';
  url.password = '';
  const answer = await fetch(url, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await answer.text();
  if (!answer.ok && answer.status !== 404) throw new Error(`${method} ${at}: ${answer.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

function connectTo(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  return redis;
}

async function removeRedisKeys(redis: Redis, prefix: string): Promise<void> {
  for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 1_000 })) {
    if (Array.isArray(keys) && keys.length > 0) await redis.unlink(...keys.map(String));
  }
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the tests through npm test`);
  return value;
}

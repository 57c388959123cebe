import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { managementCall } from '../../support/harness/environment';

/** A database, a virtual host and a Redis prefix that one contestant has for one turn. */
export interface Place {
  name: string;
  /** What a contestant finds in its environment. */
  variables: {
    DATABASE_URL: string;
    AMQP_URL: string;
    REDIS_MONEY_URL: string;
    REDIS_COMMUNICATION_URL: string;
    REDIS_BACKGROUND_URL: string;
    REDIS_LIMITER_URL: string;
    RABBITMQ_MANAGEMENT_URL: string;
    QUEUE_PREFIX: string;
  };
  remove: () => Promise<void>;
}

/** A copy of one that nobody uses, or one that is used as it is and stays, together with what Redis holds beside it. */
export type PlacesDatabase = { copyOf: string } | { use: string };

/** @param database an empty one without it */
export async function openPlace(database?: PlacesDatabase): Promise<Place> {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  const stays = database !== undefined && 'use' in database;
  const databaseUrl = stays ? urlOf(database.use) : await createDatabase(name, database?.copyOf);
  const amqpUrl = await createVirtualHost(name);
  return {
    name,
    variables: {
      ...redisUrls(),
      DATABASE_URL: databaseUrl,
      AMQP_URL: amqpUrl,
      RABBITMQ_MANAGEMENT_URL: required('RABBITMQ_MANAGEMENT_URL'),
      QUEUE_PREFIX: stays ? database.use : name,
    },
    remove: async () => {
      await managementCall('DELETE', `/api/vhosts/${name}`);
      if (!stays) await removeStores(name);
    },
  };
}

/** A database, and what Redis holds beside it. */
export async function removeStores(name: string): Promise<void> {
  for (const url of Object.values(redisUrls())) await removeKeys(url, name);
  await dropDatabase(name);
}

function redisUrls() {
  return {
    REDIS_MONEY_URL: required('REDIS_MONEY_URL'),
    REDIS_COMMUNICATION_URL: required('REDIS_COMMUNICATION_URL'),
    REDIS_BACKGROUND_URL: required('REDIS_BACKGROUND_URL'),
    REDIS_LIMITER_URL: required('REDIS_LIMITER_URL'),
  };
}

/** Resolves with its URL. */
export async function createDatabase(name: string, template?: string): Promise<string> {
  await withAdmin((admin) => admin.query(`CREATE DATABASE ${name}${template ? ` TEMPLATE ${template}` : ''}`));
  return urlOf(name);
}

function urlOf(database: string): string {
  const url = new URL(required('DATABASE_URL'));
  url.pathname = `/${database}`;
  return url.toString();
}

export async function dropDatabase(name: string): Promise<void> {
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

async function createVirtualHost(name: string): Promise<string> {
  const url = new URL(required('AMQP_URL'));
  await managementCall('PUT', `/api/vhosts/${name}`);
  await managementCall('PUT', `/api/permissions/${name}/${url.username}`, { configure: '.*', write: '.*', read: '.*' });
  url.pathname = `/${name}`;
  return url.toString();
}

async function removeKeys(url: string, prefix: string): Promise<void> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  redis.on('error', () => undefined);
  try {
    for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 1_000 })) {
      if (Array.isArray(keys) && keys.length > 0) await redis.unlink(...keys.map(String));
    }
  } finally {
    redis.disconnect();
  }
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the bench through npm run bench`);
  return value;
}

import { Queue, Worker } from 'bullmq';
import pg from 'pg';
import { runPeer } from './glue.mjs';

const CONCURRENCY = 200;
const POOL_SIZE = 20;
const TABLE = `CREATE TABLE payments (id uuid PRIMARY KEY, data jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
  completed_at timestamptz)`;

/**
 * What a user writes for jobs that may neither be lost with Redis' last second nor done again once BullMQ has forgotten
 * their ids.
 */
async function openRecords(environment) {
  const pool = new pg.Pool({ connectionString: environment.DATABASE_URL, max: POOL_SIZE });
  pool.on('error', console.error);
  await pool.query(TABLE);
  return {
    begin: ({ id, data }) =>
      pool.query('INSERT INTO payments (id, data) VALUES ($1, $2) ON CONFLICT DO NOTHING', [id, data]),
    complete: ({ id }) =>
      pool.query('UPDATE payments SET completed_at = now() WHERE id = $1 AND completed_at IS NULL', [id]),
  };
}

const nothing = () => Promise.resolve();

runPeer(async ({ environment, finish }) => {
  const recorded = process.argv.includes('--recorded');
  const { begin, complete } = recorded ? await openRecords(environment) : { begin: nothing, complete: nothing };
  const options = {
    connection: { url: environment.REDIS_MONEY_URL, maxRetriesPerRequest: null },
    prefix: environment.QUEUE_PREFIX,
  };
  const work = async ({ data }) => {
    await finish(data);
    await complete(data);
  };
  const queue = new Queue('money', options);
  const worker = new Worker('money', work, { ...options, concurrency: CONCURRENCY });
  worker.on('error', console.error);
  await worker.waitUntilReady();
  return async ([data]) => {
    await begin(data);
    await queue.add('payment', data, { jobId: data.id, attempts: 3, removeOnComplete: 1_000 });
  };
});

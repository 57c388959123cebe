/**
 * The ceiling: requests from RabbitMQ to BullMQ and their outcomes back, by the fastest way that is known here and without
 * any guarantee beyond "it usually works". Nothing is validated, fenced, retried or recovered; a crash loses or repeats
 * jobs. Requests are claimed, handed over, completed and published in natural batches, as the service does it.
 */
import { connect, type Channel, type ConfirmChannel, type ConsumeMessage } from 'amqplib';
import { Queue, Worker, type Job } from 'bullmq';
import { Pool } from 'pg';
import { z } from 'zod';
import { answerQuestions } from './answering';
import { NaturalBatches } from './natural-batches';

const MAX_BATCH = 200;
const CONCURRENCY = 200;
const PREFETCH = 200;
const RELAY_BATCH = 500;
const RELAY_POLL_MS = 5;
const POOL_SIZE = 6;

const TABLES = `
  CREATE TABLE bare_jobs (
    id bigserial PRIMARY KEY, idempotency_key text NOT NULL UNIQUE, queue text NOT NULL,
    status text NOT NULL DEFAULT 'received', payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), completed_at timestamptz
  );
  CREATE INDEX ON bare_jobs (created_at) WHERE status <> 'completed';
  CREATE TABLE bare_outbox (
    id bigserial PRIMARY KEY, topic text NOT NULL, payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), published_at timestamptz
  );
  CREATE INDEX ON bare_outbox (id) WHERE published_at IS NULL;`;

const CLAIM = {
  name: 'claim',
  text: `INSERT INTO bare_jobs (idempotency_key, queue, payload)
    SELECT key, 'money', payload::jsonb FROM unnest($1::text[], $2::text[]) AS request (key, payload)
    ON CONFLICT DO NOTHING`,
};
const COMPLETE = {
  name: 'complete',
  text: `UPDATE bare_jobs SET status = 'completed', completed_at = now()
    WHERE idempotency_key = ANY($1::text[]) AND status <> 'completed'`,
};
const APPEND = {
  name: 'append',
  text: `INSERT INTO bare_outbox (topic, payload)
    SELECT 'job.completed', jsonb_build_object('data', jsonb_build_object('requestId', key, 'outcome', 'completed'),
      'note', repeat('x', 300))
    FROM unnest($1::text[]) AS job (key)`,
};
const READ = {
  name: 'read',
  text: `SELECT id, topic, payload FROM bare_outbox WHERE published_at IS NULL ORDER BY id LIMIT ${RELAY_BATCH}
    FOR UPDATE SKIP LOCKED`,
};
const MARK = { name: 'mark', text: 'UPDATE bare_outbox SET published_at = now() WHERE id = ANY($1::bigint[])' };

const request = z.looseObject({ id: z.string(), data: z.looseObject({ type: z.string() }) });
const variables = z.object({
  DATABASE_URL: z.string(),
  AMQP_URL: z.string(),
  REDIS_MONEY_URL: z.string(),
  QUEUE_PREFIX: z.string(),
});
const environment = variables.parse(process.env);

const pool = new Pool({ connectionString: environment.DATABASE_URL, max: POOL_SIZE });
const bull = {
  connection: { url: environment.REDIS_MONEY_URL, maxRetriesPerRequest: null },
  prefix: environment.QUEUE_PREFIX,
};
const queue = new Queue('bare', bull);
let wakeRelay = (): void => undefined;

/** Each batch as one transaction; whoever completed a job in it waits for the commit. */
const completing = new NaturalBatches<string>(async (keys) => {
  await transaction(async (query) => {
    await query(COMPLETE, [keys]);
    await query(APPEND, [keys]);
  });
  wakeRelay();
}, MAX_BATCH);

type Query = <Row>(statement: { name: string; text: string }, values?: unknown[]) => Promise<Row[]>;

async function transaction<Value>(work: (query: Query) => Promise<Value>): Promise<Value> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const value = await work(async (statement, values = []) => (await client.query({ ...statement, values })).rows);
    await client.query('COMMIT');
    return value;
  } finally {
    client.release();
  }
}

async function startIntake(channel: Channel): Promise<void> {
  const taking = new NaturalBatches<ConsumeMessage>(async (messages) => {
    const requests = messages.map(({ content }) => request.parse(JSON.parse(content.toString())));
    const bodies = messages.map(({ content }) => content.toString());
    await pool.query({ ...CLAIM, values: [requests.map(({ id }) => id), bodies] });
    await queue.addBulk(
      requests.map((data) => ({
        name: data.data.type,
        data,
        opts: { jobId: data.id, attempts: 3, removeOnComplete: true, removeOnFail: 1_000 },
      })),
    );
    for (const message of messages) channel.ack(message);
  }, MAX_BATCH);
  await channel.prefetch(PREFETCH);
  await channel.consume('bare.requests', (message) => {
    if (message) taking.submit(message).catch(giveUp);
  });
}

async function relay(channel: ConfirmChannel): Promise<void> {
  for (;;) {
    const published = await transaction(async (query) => {
      const rows = await query<{ id: string; topic: string; payload: unknown }>(READ);
      if (rows.length === 0) return 0;
      for (const { topic, payload } of rows) {
        channel.publish('jobs.events', topic, Buffer.from(JSON.stringify(payload)), { persistent: true });
      }
      await channel.waitForConfirms();
      await query(MARK, [rows.map(({ id }) => id)]);
      return rows.length;
    });
    if (published === 0) await untilWoken();
  }
}

function untilWoken(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, RELAY_POLL_MS);
    wakeRelay = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

async function main(): Promise<void> {
  await pool.query(TABLES);
  const connection = await connect(environment.AMQP_URL, { noDelay: true });
  const [intake, outcomes] = [await connection.createChannel(), await connection.createConfirmChannel()];
  await intake.assertExchange('jobs.requests', 'topic', { durable: true });
  await intake.assertExchange('jobs.events', 'topic', { durable: true });
  await intake.assertQueue('bare.requests', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await intake.bindQueue('bare.requests', 'jobs.requests', 'money.#');
  const worker = new Worker('bare', (job: Job<{ id: string }>) => completing.submit(job.data.id), {
    ...bull,
    concurrency: CONCURRENCY,
  });
  worker.on('error', (error) => console.error(error));
  await worker.waitUntilReady();
  await startIntake(intake);
  relay(outcomes).catch(giveUp);
}

function giveUp(error: unknown): never {
  console.error(error);
  process.exit(1);
}

const started = main();
answerQuestions(() => started);

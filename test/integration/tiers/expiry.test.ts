import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { QUEUE_POLICIES } from '../../../src/catalogue/queues';
import { LOWER_TIERS } from '../../../src/contract/names';
import { forgetExpired } from '../../../src/jobs/volatile/expiry';
import { VolatileJobs } from '../../../src/jobs/volatile/store';
import type { Database } from '../../../src/platform/postgres/database';
import { around } from '../../support/around';
import { eventually, openHarness, type Harness } from '../../support/harness';
import { openDatabase } from '../../support/records';

let harness: Harness;
let database: Database;
/** Whether word of an end gets to Redis. */
let forgets = true;

beforeAll(async () => {
  harness = await openHarness();
  database = openDatabase(harness.environment.variables['DATABASE_URL'] ?? '');
  const decorate = around({
    'forget finished': (run) => (forgets ? run() : Promise.reject(new Error('lost, as the test wants it'))),
  });
  await harness.startService({ decorate });
});
beforeEach(() => {
  forgets = true;
});
afterAll(async () => {
  await database?.close();
  await harness?.close();
});

describe.each(LOWER_TIERS)('a key of the %s tier', (tier) => {
  const prefix = () => `${harness.environment.variables['QUEUE_PREFIX']}:{${tier}}`;
  const redis = () => harness.environment.lowerRedis[tier];
  const { queueName } = QUEUE_POLICIES[tier];
  const forget = () => forgetExpired(new VolatileJobs(redis(), tier, prefix()), database, queueName, 10);

  const ask = (idempotencyKey: string) =>
    harness.bus.request({ type: `canary-${tier}`, data: { n: 1 }, idempotencyKey });

  async function untilForgotten(): Promise<void> {
    const { rows } = await harness.environment.pool.query(
      `UPDATE idempotency_keys SET expires_at = now() - interval '1 second' WHERE queue_name = $1 RETURNING job_id`,
      [queueName],
    );
    // The service's own clean-up may be as quick.
    await forget();
    const left = () =>
      harness.environment.pool.query(
        `SELECT FROM job_followers WHERE job_id = ANY($1::uuid[])
          UNION ALL SELECT FROM idempotency_keys WHERE queue_name = $2`,
        [
          z
            .array(z.object({ job_id: z.string() }))
            .parse(rows)
            .map((row) => row.job_id),
          queueName,
        ],
      );
    await eventually('nothing is left', async () => (await left()).rowCount === 0);
  }

  it('is held until it expires; then its job is forgotten with its followers, and the key is free', async () => {
    const key = randomUUID();
    const first = await harness.bus.outcomeOf(await ask(key), 'completed');
    const duplicate = await harness.bus.outcomeOf(await ask(key), 'duplicate');
    expect(duplicate.data.jobId).toBe(first.data.jobId);
    expect(await forget()).toBe(0);

    await untilForgotten();
    const second = await harness.bus.outcomeOf(await ask(key), 'completed');
    expect(second.data.jobId).not.toBe(first.data.jobId);
  });

  it('is free then also when its Redis never heard that the job has ended', async () => {
    const key = randomUUID();
    forgets = false;
    const first = await harness.bus.outcomeOf(await ask(key), 'completed');
    expect(await redis().exists(`${prefix()}:job:${first.data.jobId}`)).toBe(1);

    await untilForgotten();
    const second = await harness.bus.outcomeOf(await ask(key));
    expect(second.data).toMatchObject({ outcome: 'completed' });
    expect(second.data.jobId).not.toBe(first.data.jobId);
  });
});

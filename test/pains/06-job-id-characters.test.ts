import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import fc from 'fast-check';
import { eventually, openHarness, type Harness } from '../support/harness';

let harness: Harness;

beforeAll(async () => {
  harness = await openHarness();
});
afterAll(() => harness?.close());

it('pain 6: bare BullMQ refuses ids that people use, and one of them sinks its whole batch', async () => {
  const { REDIS_MONEY_URL: url = '', QUEUE_PREFIX: prefix = '' } = harness.environment.variables;
  const queue = new Queue('bare', { connection: { url }, prefix });
  try {
    for (const jobId of ['order:981', '981']) {
      await expect(queue.add('payment', {}, { jobId })).rejects.toThrow(/id/i);
      const batch = ['order-1', jobId, 'order-2'].map((id) => ({ name: 'payment', data: {}, opts: { jobId: id } }));
      await expect(queue.addBulk(batch)).rejects.toThrow(/id/i);
    }
    expect(await queue.count()).toBe(0);
  } finally {
    await queue.close();
  }
});

/** Every sound key: any text of 1 to 255 bytes in UTF-8 without control characters. */
const key = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 255 }),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
    fc.stringMatching(/^[0-9:{}*.#-]{1,40}$/),
    fc.constantFrom('981', '0', 'order:981', ':', '{money}', '\u{1f39f}\ufe0f', ' ', '__proto__', 'x'.repeat(255)),
  )
  .filter((text) => text.isWellFormed() && !/\p{Cc}/u.test(text) && Buffer.byteLength(text) <= 255);

it('pain 6: ours takes every key of up to 255 bytes, distinct keys are distinct jobs, and no key gets into a BullMQ id', async () => {
  const { pool, redis, variables } = harness.environment;
  const base = `${variables['QUEUE_PREFIX']}:{money}:money-queue:`;
  // Nobody works, so that everything stays in Redis to be looked at.
  await harness.startService({}, undefined, { ROLES: 'consumer,relay' });
  const expected = new Set<string>();

  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(key, { minLength: 10, maxLength: 40 }), async (keys) => {
      const source = `/source-${randomUUID()}`;
      const ids = await Promise.all(
        keys.map((idempotencyKey, n) =>
          harness.bus.request({ type: 'canary-money', source, idempotencyKey, data: { n } }),
        ),
      );
      const jobs = await claimed(source, keys.length);
      expect(new Map(jobs.map(({ request_id, idempotency_key }) => [request_id, idempotency_key]))).toEqual(
        new Map(ids.map((id, n) => [id, keys[n] ?? ''])),
      );
      for (const { id } of jobs) expected.add(`${id}-1-1`);
    }),
    { numRuns: 12 },
  );

  expect(harness.bus.outcomes).toEqual([]);
  const inRedis = (await redis.keys(`${escaped(base)}*-*`)).map((name) => name.slice(base.length));
  expect(new Set(inRedis)).toEqual(expected);
  const { rowCount } = await pool.query('SELECT FROM dead_letter_jobs');
  expect(rowCount).toBe(0);
});

interface ClaimedRow {
  id: string;
  request_id: string;
  idempotency_key: string;
}

async function claimed(source: string, count: number): Promise<ClaimedRow[]> {
  return eventually(`${count} jobs of one source are in Redis`, async () => {
    const { rows } = await harness.environment.pool.query<ClaimedRow>(
      'SELECT id, request_id, idempotency_key FROM critical_jobs WHERE request_source = $1',
      [source],
    );
    if (rows.length < count) return undefined;
    const prefix = `${harness.environment.variables['QUEUE_PREFIX']}:{money}:money-queue:`;
    const held = await harness.environment.redis.exists(...rows.map(({ id }) => `${prefix}${id}-1-1`));
    return held === rows.length ? rows : undefined;
  });
}

/** As it stands in a pattern of Redis. */
function escaped(text: string): string {
  return text.replaceAll(/[[\]*?\\]/g, String.raw`\$&`);
}

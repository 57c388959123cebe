import { randomUUID } from 'node:crypto';
import { EXCHANGES } from '../../../src/contract/names';
import { eventually, jobRequestEvent, openHarness, type Harness, type RequestParts } from '../../support/harness';

let harness: Harness;

beforeAll(async () => {
  harness = await openHarness();
  await harness.startService();
});
afterAll(() => harness?.close());

const request = (parts: Partial<RequestParts>) =>
  harness.bus.request({ type: 'canary-communication', data: { n: 1 }, ...parts });
const redis = () => harness.environment.lowerRedis.communication;
const keysOf = (what: string) =>
  redis().keys(`${harness.environment.variables['QUEUE_PREFIX']}:{communication}:${what}:*`);

it('an identity that was answered in one tier is refused in another, and holds nobody up', async () => {
  const idempotencyKey = randomUUID();
  await harness.bus.outcomeOf(await request({ idempotencyKey }), 'completed');
  const id = await request({ idempotencyKey });
  await harness.bus.outcomeOf(id, 'duplicate');

  await request({ id, type: 'canary-money' });
  const neighbour = await request({ type: 'canary-money', data: { n: 2 } });
  expect((await harness.bus.outcomeOf(id, 'rejected')).data.error?.code).toBe('REQUEST_ID_REUSED');
  await harness.bus.outcomeOf(neighbour, 'completed');
});

it('many requests for work that has ended are answered with its result, and none of them becomes a job', async () => {
  const idempotencyKey = randomUUID();
  const first = await harness.bus.outcomeOf(await request({ idempotencyKey }), 'completed');
  const bodies = Array.from({ length: 30 }, () =>
    jobRequestEvent({ type: 'canary-communication', data: { n: 1 }, idempotencyKey }),
  );
  await Promise.all(
    bodies.map((body) =>
      harness.bus.publish(EXCHANGES.requests, 'communication.canary-communication', JSON.stringify(body)),
    ),
  );
  for (const { id } of bodies) {
    const { data } = await harness.bus.outcomeOf(id, 'duplicate');
    expect(data).toMatchObject({ jobId: first.data.jobId, result: { n: 1 } });
  }
  await eventually('nothing is open', async () => (await keysOf('job')).length === 0);
  const { rows } = await harness.environment.pool.query('SELECT code FROM dead_letter_jobs WHERE code = $1', [
    'RECORD_MISSING',
  ]);
  expect(rows).toEqual([]);
});

it('a duplicate does not shorten the life of a delayed job', async () => {
  const idempotencyKey = randomUUID();
  const twentyDays = 20 * 24 * 60 * 60 * 1_000;
  await request({ idempotencyKey, options: { delay: twentyDays } });
  const [job = ''] = await eventually('it waits', async () => {
    const found = await keysOf('job');
    return found.length === 1 ? found : undefined;
  });
  await harness.bus.outcomeOf(await request({ idempotencyKey }), 'duplicate');
  expect(await redis().pttl(job)).toBeGreaterThan(twentyDays);
});

it('a key whose time is over passes to the next job, also before it is cleaned up', async () => {
  const idempotencyKey = randomUUID();
  await harness.bus.outcomeOf(await request({ idempotencyKey }), 'completed');
  await harness.environment.pool.query(`UPDATE idempotency_keys SET expires_at = now() - interval '1 second'`);
  const second = await harness.bus.outcomeOf(await request({ idempotencyKey }), 'completed');
  const third = await harness.bus.outcomeOf(await request({ idempotencyKey }), 'duplicate');
  expect(third.data.jobId).toBe(second.data.jobId);
});

import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { QUEUE_POLICIES } from '../../../src/catalogue/queues';
import { LOWER_TIERS } from '../../../src/contract/names';
import type { Handler } from '../../../src/handlers/handler';
import { done, failed, type HandlerOutcome } from '../../../src/handlers/outcome';
import type { Service } from '../../../src/service';
import { eventually, gate, openHarness, type Harness, type RequestParts } from '../../support/harness';

let harness: Harness;
let service: Service;
let runs: number[] = [];
/** What the next canaries wait for, and how they end. */
let ending = gate();
let end: (n: number, attempt: number) => HandlerOutcome<unknown> = (n) => done({ n });

const canary: Handler = async (payload, { attempt }) => {
  const { n } = z.object({ n: z.number() }).parse(payload);
  runs.push(n);
  await ending.opened;
  return end(n, attempt);
};

beforeAll(async () => {
  harness = await openHarness();
  service = await harness.startService({
    handlers: new Map([
      ['canary-communication', canary],
      ['canary-background', canary],
    ]),
  });
});
beforeEach(() => {
  runs = [];
  ending = gate();
  end = (n) => done({ n });
});
afterAll(() => harness?.close());

const unaccounted = async (tier: keyof typeof QUEUE_POLICIES): Promise<number | undefined> => {
  const metric = await service.metrics.registry.getSingleMetric('jobs_unaccounted')?.get();
  return metric?.values.find(({ labels }) => labels['queue_name'] === QUEUE_POLICIES[tier].queueName)?.value;
};

async function accepted(tier: keyof typeof QUEUE_POLICIES): Promise<number> {
  const { rows } = await harness.environment.pool.query(
    'SELECT COALESCE(sum(accepted), 0)::int AS accepted FROM queue_counts WHERE queue_name = $1',
    [QUEUE_POLICIES[tier].queueName],
  );
  return z.array(z.object({ accepted: z.number() })).parse(rows)[0]?.accepted ?? -1;
}

describe.each(LOWER_TIERS)('the %s tier', (tier) => {
  const type = `canary-${tier}`;
  const request = (parts: Partial<RequestParts> = {}) =>
    harness.bus.request({ type, data: { n: 1, note: randomUUID() }, ...parts });
  const openKeys = () =>
    harness.environment.lowerRedis[tier].keys(`${harness.environment.variables['QUEUE_PREFIX']}:{${tier}}:job:*`);

  it('runs a job once, answers with one outcome, and holds nothing of it in Redis afterwards', async () => {
    ending.open();
    const data = { n: 7, note: randomUUID() };
    const id = await request({ data, correlationid: 'order-1' });
    const outcome = await harness.bus.outcomeOf(id, 'completed');
    expect(outcome.data).toMatchObject({
      queue: tier,
      type,
      correlationId: 'order-1',
      generation: 1,
      sequence: 1,
      attempts: 1,
      result: { n: 7 },
      error: null,
    });
    expect(outcome.routingKey).toBe(`${tier}.${type}.completed`);
    expect(runs).toEqual([7]);
    await eventually('Redis has forgotten it', async () => (await openKeys()).length === 0);
    const { rows } = await harness.environment.pool.query('SELECT count(*)::int AS jobs FROM critical_jobs');
    expect(rows).toEqual([{ jobs: 0 }]);
  });

  it('the same request again is the same request, while its job is open and after it has ended', async () => {
    const id = randomUUID();
    const parts = { id, data: { n: 2, note: randomUUID() } };
    await request(parts);
    await eventually('it runs', () => runs.length > 0);
    await request(parts);
    ending.open();
    await harness.bus.outcomeOf(id, 'completed');
    await request(parts);
    await request({ ...parts, data: { n: 3, note: 'another payload' } });
    const refusal = await harness.bus.outcomeOf(id, 'rejected');
    expect(refusal.data.error?.code).toBe('REQUEST_ID_REUSED');
    expect(harness.bus.outcomesOf(id).map(({ data }) => data.outcome)).toEqual(['completed', 'rejected']);
    expect(runs).toEqual([2]);
  });

  it('a duplicate of open work is answered at once, and again with the result', async () => {
    const parts = { idempotencyKey: randomUUID(), data: { n: 4 } };
    const first = await request(parts);
    await eventually('it runs', () => runs.length > 0);
    const second = await request(parts);
    const atOnce = await harness.bus.outcomeOf(second, 'duplicate');
    expect(atOnce.data).toMatchObject({ result: null, finishedAt: null });
    ending.open();
    const { data } = await harness.bus.outcomeOf(first, 'completed');
    const later = await eventually('the second answer', () => harness.bus.outcomesOf(second, 'duplicate')[1]);
    expect(later.data).toMatchObject({ jobId: data.jobId, result: { n: 4 }, requestId: second });
    expect(later.id).not.toBe(atOnce.id);
    const third = await request(parts);
    expect((await harness.bus.outcomeOf(third, 'duplicate')).data).toMatchObject({
      jobId: data.jobId,
      result: { n: 4 },
    });
    const conflict = await request({ ...parts, data: { n: 5 } });
    expect((await harness.bus.outcomeOf(conflict, 'rejected')).data.error?.code).toBe('IDEMPOTENCY_CONFLICT');
    expect(runs).toEqual([4]);
  });

  it('many requests with one key that come together are one job', async () => {
    ending.open();
    const parts = { idempotencyKey: randomUUID(), data: { n: 6 } };
    const ids = await Promise.all(Array.from({ length: 50 }, () => request(parts)));
    await Promise.all(ids.map((id) => harness.bus.outcomeOf(id)));
    const answered = await eventually('all know the result', () => {
      const known = ids.map((id) => harness.bus.outcomesOf(id).some(({ data }) => data.result !== null));
      return known.every(Boolean);
    });
    expect(answered).toBe(true);
    expect(runs).toEqual([6]);
  });

  it('a failed job lets go of its key, and its dead letter says why', async () => {
    ending.open();
    end = () => failed('NO', 'as the test wants it', { replayable: true });
    const parts = { idempotencyKey: randomUUID(), data: { n: 8 } };
    const first = await request(parts);
    const outcome = await harness.bus.outcomeOf(first, 'failed');
    expect(outcome.data.error).toMatchObject({ code: 'NO', replayable: true });
    end = (n) => done({ n });
    const second = await request(parts);
    const completed = await harness.bus.outcomeOf(second, 'completed');
    expect(completed.data.jobId).not.toBe(outcome.data.jobId);
    const { rows } = await harness.environment.pool.query(
      'SELECT kind, code, queue_name FROM dead_letter_jobs WHERE job_id = $1',
      [outcome.data.jobId],
    );
    expect(rows).toEqual([{ kind: 'gave_up', code: 'NO', queue_name: tier }]);
  });

  it('a delayed job waits, and one that expires before it starts ends as failed', async () => {
    ending.open();
    const delayed = await request({ data: { n: 9 }, options: { delay: 1_500 } });
    const expired = await request({
      data: { n: 10 },
      options: { delay: 1_000, expiresAt: new Date(Date.now() + 300).toISOString() },
    });
    expect((await harness.bus.outcomeOf(expired, 'failed')).data.error?.code).toBe('EXPIRED');
    const { data } = await harness.bus.outcomeOf(delayed, 'completed');
    expect(Date.parse(data.startedAt ?? '') - Date.parse(data.acceptedAt ?? '')).toBeGreaterThanOrEqual(1_300);
    expect(runs).toEqual([9]);
  });

  it('what its Redis loses is counted as lost, and its key is free again', async () => {
    await eventually('the books are even', async () => (await unaccounted(tier)) === 0);
    const redis = harness.environment.lowerRedis[tier];
    const waiting = { idempotencyKey: randomUUID(), data: { n: 11 }, options: { delay: 600_000 } };
    const earlier = await accepted(tier);
    await request(waiting);
    // Before that its message may still come again, and nothing of it can be lost.
    await eventually('it is relied on', async () => (await accepted(tier)) === earlier + 1);
    const before = await metricOf('tier_redis_forgot_total');
    await redis.flushall();
    await eventually('it is noticed', async () => (await metricOf('tier_redis_forgot_total')) === before + 1);
    await eventually('it is counted', async () => (await unaccounted(tier)) === 1);
    ending.open();
    const again = await request({ idempotencyKey: waiting.idempotencyKey, data: waiting.data });
    await harness.bus.outcomeOf(again, 'completed');
    await eventually('one is lost, and no more', async () => (await unaccounted(tier)) === 1);
  });

  const metricOf = async (name: string): Promise<number> => {
    const metric = await service.metrics.registry.getSingleMetric(name)?.get();
    const mine = metric?.values.filter(({ labels }) => labels['queue_name'] === QUEUE_POLICIES[tier].queueName) ?? [];
    return mine.reduce((sum, { value }) => sum + value, 0);
  };
});

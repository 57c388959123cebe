import { randomUUID } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import { z } from 'zod';
import type { Handler } from '../../src/handlers/handler';
import { done, failed } from '../../src/handlers/outcome';
import { counterOf } from '../support/counters';
import { eventually, openHarness, type Harness } from '../support/harness';
import { MoneyRows } from '../support/money';

let harness: Harness;

beforeEach(async () => {
  harness = await openHarness();
});
afterEach(() => harness?.close());

/** A queue and a worker on plain BullMQ; answers with the ids in the order in which they ran. */
async function withBare(
  work: (queue: Queue, ran: (string | undefined)[]) => Promise<void>,
  fails: (id: string | undefined) => boolean,
): Promise<void> {
  const { REDIS_MONEY_URL: url = '', QUEUE_PREFIX: prefix = '' } = harness.environment.variables;
  const queue = new Queue('bare', { connection: { url }, prefix });
  const ran: (string | undefined)[] = [];
  const worker = new Worker(
    'bare',
    ({ id }) => {
      ran.push(id);
      return fails(id) ? Promise.reject(new Error('declined')) : Promise.resolve();
    },
    { connection: { url, maxRetriesPerRequest: null }, prefix },
  );
  try {
    await work(queue, ran);
  } finally {
    await worker.close(true);
    await queue.close();
  }
}

it('pain 5: bare BullMQ reports success for a second add of an id that has failed, and never runs it', async () => {
  await withBare(
    async (queue, ran) => {
      const first = await queue.add('payment', {}, { jobId: 'order-1' });
      await eventually('it has failed', async () => (await first.getState()) === 'failed');
      const again = await queue.add('payment', {}, { jobId: 'order-1' });
      expect(again.id).toBe('order-1');
      const later = await queue.add('payment', {}, { jobId: 'order-2' });
      await eventually('a later one has run', async () => (await later.getState()) === 'completed');
      expect(ran).toEqual(['order-1', 'order-2']);
    },
    (id) => id === 'order-1',
  );
});

it('pain 5: bare BullMQ runs an id twice that removeOnComplete has made it forget', async () => {
  await withBare(
    async (queue, ran) => {
      for (let times = 1; times <= 2; times += 1) {
        await queue.add('payment', {}, { jobId: 'order-1', removeOnComplete: true });
        await eventually('it has run', () => ran.length === times);
        await eventually('it is forgotten', async () => (await queue.getJob('order-1')) === undefined);
      }
      expect(ran).toEqual(['order-1', 'order-1']);
    },
    () => false,
  );
});

it('pain 5: ours says what is known of a failed job, and its replay is another generation that runs', async () => {
  const rows = new MoneyRows(harness.environment.pool);
  let declines = true;
  const handler: Handler = (payload) => {
    const { n } = z.object({ n: z.number() }).parse(payload);
    return Promise.resolve(declines ? failed('DECLINED', 'declined', { replayable: true }) : done({ n }));
  };
  const service = await harness.startService({ handlers: new Map([['canary-money', handler]]) });
  const data = { n: 1, note: randomUUID() };
  const id = await harness.bus.request({ type: 'canary-money', data });
  const { data: first } = await harness.bus.outcomeOf(id, 'failed');
  const jobId = first.jobId ?? '';
  declines = false;

  // The same request again: known, and nothing is handed to Redis that would not run.
  await harness.bus.request({ id, type: 'canary-money', data });
  await eventually('it is counted', async () => (await counterOf(service, 'redeliveries_total')) === 1);
  expect(await service.readJob(jobId)).toMatchObject({ status: 'failed', generation: 1, dispatch: 1 });

  expect(await service.replayJob(jobId, 'OPERATOR')).toEqual({ kind: 'replayed', generation: 2 });
  const { data: second } = await harness.bus.outcomeOf(id, 'completed');
  expect(second).toMatchObject({ jobId, generation: 2, result: { n: 1 } });
  expect(await rows.outcomes(jobId)).toEqual(['failed', 'completed']);
  // Success is never reported for what will not run.
  expect(await service.replayJob(jobId, 'OPERATOR')).toEqual({ kind: 'notFailed', status: 'completed' });
});

it('pain 5: ours answers with the result of a job that Redis has forgotten, and runs nothing', async () => {
  const { environment, bus } = harness;
  let runs = 0;
  const handler: Handler = () => {
    runs += 1;
    return Promise.resolve(done({ n: 1 }));
  };
  await harness.startService({ handlers: new Map([['canary-money', handler]]) });
  const request = { type: 'canary-money', data: { n: 1, note: randomUUID() }, idempotencyKey: 'order-1' };
  const { data: first } = await bus.outcomeOf(await bus.request(request), 'completed');
  const prefix = environment.variables['QUEUE_PREFIX'] ?? '';
  await eventually(
    'Redis has forgotten it',
    async () => (await environment.redis.keys(`${prefix}*${first.jobId}*`)).length === 0,
  );
  const { data: second } = await bus.outcomeOf(await bus.request(request));
  expect(second).toMatchObject({ outcome: 'duplicate', jobId: first.jobId, result: { n: 1 } });
  expect(runs).toBe(1);
});

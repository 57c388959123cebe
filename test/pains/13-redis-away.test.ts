import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import { counterOf } from '../support/counters';
import { eventually, openHarness, type Harness } from '../support/harness';
import { MoneyRows } from '../support/money';
import { TcpProxy } from '../support/tcp-proxy';

let harness: Harness;
let line: TcpProxy;
let redisUrl: string;

beforeEach(async () => {
  harness = await openHarness();
  const url = harness.environment.variables['REDIS_MONEY_URL'] ?? '';
  line = await TcpProxy.open(url);
  redisUrl = line.through(url);
});
afterEach(async () => {
  line?.unblock();
  await harness?.close();
  await line?.close();
});

it('pain 13: bare BullMQ leaves whoever adds a job without an answer for as long as Redis is down', async () => {
  const queue = new Queue('bare', {
    connection: { url: redisUrl },
    prefix: harness.environment.variables['QUEUE_PREFIX'] ?? '',
  });
  let refusals = 0;
  queue.on('error', () => (refusals += 1));
  try {
    await queue.waitUntilReady();
    line.block();
    let answered = false;
    const adding = queue.add('payment', {}).finally(() => (answered = true));
    await eventually('it has tried to connect again and again', () => refusals >= 5);
    expect(answered).toBe(false);
    line.unblock();
    await adding;
  } finally {
    await queue.close();
  }
});

it('pain 13: ours accepts money while Redis is down, and feeds it when Redis is back', async () => {
  const rows = new MoneyRows(harness.environment.pool);
  const service = await harness.startService({}, undefined, { REDIS_MONEY_URL: redisUrl });
  const canary = () => harness.bus.request({ type: 'canary-money', data: { n: 1, note: randomUUID() } });
  await harness.bus.outcomeOf(await canary(), 'completed');
  line.block();
  const id = await canary();

  const accepted = () => counterOf(service, 'requests_consumed_total');
  await eventually('it is answered as accepted', async () => (await accepted()) === 2);
  expect(await rows.find(id)).toMatchObject({ status: 'pending', starts: 0 });
  line.unblock();
  await harness.bus.outcomeOf(id, 'completed');
  expect(await counterOf(service, 'fed_jobs_total')).toBe(1);
});

import { randomUUID } from 'node:crypto';
import { QueueClient, type Outcome, type OutcomeOptions } from '../../../src/client';
import { requesterKey } from '../../../src/contract/names';
import { publishOutcome, takeMessages } from '../../support/client';
import { eventually, gate, openHarness, type Harness } from '../../support/harness';
import { TcpProxy } from '../../support/tcp-proxy';

const SOURCE = '/order-service';
const QUEUE = 'order-service.outcomes';
const PARKED = `${QUEUE}.parked`;

let harness: Harness;
let broker: TcpProxy;
let clients: QueueClient[];

beforeEach(async () => {
  clients = [];
  harness = await openHarness();
  broker = await TcpProxy.open(harness.environment.variables['AMQP_URL'] ?? '');
});
afterEach(async () => {
  broker?.unblock();
  await Promise.all(clients.map((client) => client.close()));
  await harness?.close();
  await broker?.close();
});

function openClient(): QueueClient {
  const amqpUrl = broker.through(harness.environment.variables['AMQP_URL'] ?? '');
  const client = QueueClient.open({ amqpUrl, source: SOURCE });
  clients.push(client);
  return client;
}

/** Subscribes, and is bound. */
async function subscribe(
  handler: (outcome: Outcome) => Promise<void> | void,
  over: Partial<OutcomeOptions> = {},
): Promise<{ client: QueueClient; close: () => Promise<void> }> {
  const client = openClient();
  const subscription = client.onOutcome(handler, { queue: QUEUE, ...over });
  await subscription.ready();
  return { client, close: () => subscription.close() };
}

const toSource = (over: Parameters<typeof publishOutcome>[2] = {}) =>
  publishOutcome(harness.bus, requesterKey(SOURCE), over);
/** Messages that nobody holds. */
const waiting = async (queue = QUEUE) => (await harness.bus.channel.checkQueue(queue)).messageCount;

/** Closes everything that takes outcomes: what was not acknowledged is in the queue again. */
async function left(): Promise<string[]> {
  await Promise.all(clients.map((client) => client.close()));
  return (await takeMessages(harness.bus, QUEUE)).map(({ properties }) => String(properties.messageId));
}

it("hears what became of this source's own requests, typed, and of nobody else's", async () => {
  await harness.startService();
  const heard: Outcome[] = [];
  const { client } = await subscribe((outcome) => void heard.push(outcome));
  await harness.bus.outcomeOf(
    await harness.bus.request({ source: '/other', type: 'canary-money', data: { n: 1 } }),
    'completed',
  );
  const canary = await client.publish('canary-money', { n: 7 }, { correlationId: 'order-1' });
  const first = await eventually('it was heard', () => heard[0]);
  if (first.type !== 'canary-money' || first.outcome !== 'completed') throw new Error(first.outcome);
  const n: number = first.result.n;
  expect(n).toBe(7);
  expect(first).toMatchObject({ requestId: canary.id, correlationId: 'order-1', error: null });
  expect(heard).toHaveLength(1);
});

it('binds by the routing keys that are asked for', async () => {
  const heard: string[] = [];
  await subscribe((outcome) => void heard.push(outcome.id), { routingKeys: ['money.*.failed', 'money.*.completed'] });
  await publishOutcome(harness.bus, 'money.canary-money.duplicate', {});
  const failed = await publishOutcome(harness.bus, 'money.canary-money.failed', {
    data: { outcome: 'failed', result: null, error: { code: 'TIMEOUT', message: 'late', replayable: true } },
  });
  const completed = await publishOutcome(harness.bus, 'money.canary-money.completed', {});
  await eventually('both were heard', () => heard.length >= 2);
  expect(heard.sort()).toEqual([failed, completed].sort());
});

it('acknowledges after the handler, not before', async () => {
  const finish = gate();
  const begun: number[] = [];
  await subscribe(
    async ({ sequence }) => {
      begun.push(sequence);
      if (sequence !== 2) await finish.opened;
    },
    { concurrency: 2 },
  );
  for (const sequence of [1, 2, 3]) await toSource({ data: { sequence } });
  // There was room for it when the broker had read the first acknowledgement: that of the second.
  await eventually('the third has begun', () => begun.includes(3));
  broker.block();
  await eventually('the first and the third are back', () => waiting().then((count) => count === 2));
  broker.unblock();
  finish.open();
  await toSource({ data: { sequence: 4 } });
  await eventually('both came again, and what was behind them', () => begun.includes(4));
  expect(await left()).toEqual([]);
});

it('handles a repeated outcome once', async () => {
  const heard: string[] = [];
  await subscribe((outcome) => void heard.push(outcome.id));
  const id = await toSource();
  await eventually('it was heard', () => heard.length > 0);
  await toSource({ id });
  const last = await toSource();
  await eventually('the last was heard', () => heard.includes(last));
  expect(await left()).toEqual([]);
  expect(heard).toEqual([id, last]);
});

it('does not handle again what is redelivered while it is being handled', async () => {
  const finish = gate();
  const heard: string[] = [];
  await subscribe(async (outcome) => {
    heard.push(outcome.id);
    if (heard.length === 1) await finish.opened;
  });
  const id = await toSource();
  await eventually('it is under way', () => heard.length === 1);
  await toSource({ id });
  broker.block();
  await eventually('both are back in the queue', () => waiting().then((count) => count === 2));
  const last = await toSource();
  broker.unblock();
  await eventually('what was behind them has come', () => heard.includes(last));
  finish.open();
  expect(await left()).toEqual([]);
  expect(heard).toEqual([id, last]);
});

it('handles the outcomes of one job as they came, one after the other', async () => {
  const jobId = randomUUID();
  const heard: string[] = [];
  const finish = gate();
  await subscribe(async (outcome) => {
    heard.push(`begun ${outcome.sequence}`);
    if (outcome.sequence === 1) await finish.opened;
    heard.push(`ended ${outcome.sequence}`);
  });
  await toSource({ data: { jobId, sequence: 1 } });
  await toSource({ data: { jobId, sequence: 2 } });
  await toSource({ data: { sequence: 3 } });
  await eventually('that of another job is done', () => heard.includes('ended 3'));
  finish.open();
  await eventually('all are done', () => heard.length === 6);
  expect(heard.filter((line) => !line.endsWith('3'))).toEqual(['begun 1', 'ended 1', 'begun 2', 'ended 2']);
});

it('runs no more handlers at the same time than it is told to', async () => {
  let running = 0;
  let most = 0;
  let done = 0;
  const finish = gate();
  await subscribe(
    async () => {
      running += 1;
      most = Math.max(most, running);
      await finish.opened;
      running -= 1;
      done += 1;
    },
    { concurrency: 2 },
  );
  for (let n = 0; n < 5; n += 1) await toSource();
  await eventually('two run and three wait', async () => running === 2 && (await waiting()) === 3);
  finish.open();
  await eventually('all have run', () => done === 5);
  expect(await left()).toEqual([]);
  expect(most).toBe(2);
});

it('tries again what the handler could not do', async () => {
  const heard: string[] = [];
  await subscribe((outcome) => {
    heard.push(outcome.id);
    if (heard.length < 3) throw new Error('not now');
  });
  const id = await toSource();
  await eventually('the third try', () => heard.length >= 3);
  expect(await left()).toEqual([]);
  expect(heard).toEqual([id, id, id]);
  expect(await waiting(PARKED)).toBe(0);
});

it('a handler that hangs has failed, and is told so', async () => {
  const aborted: boolean[] = [];
  const client = openClient();
  let tries = 0;
  const subscription = client.onOutcome(
    async (_outcome, { signal }) => {
      tries += 1;
      if (tries > 1) return;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      aborted.push(signal.aborted);
    },
    { queue: QUEUE, timeoutMs: 200 },
  );
  await subscription.ready();
  await toSource();
  await eventually('the second try', () => tries >= 2);
  expect(await left()).toEqual([]);
  expect(tries).toBe(2);
  expect(aborted).toEqual([true]);
});

it('parks what the handler cannot do, with what it was, and goes on', async () => {
  const tries: string[] = [];
  const poison = randomUUID();
  await subscribe(
    (outcome) => {
      tries.push(outcome.id);
      if (outcome.id === poison) throw new Error('never');
    },
    { maxTries: 2, concurrency: 1 },
  );
  await toSource({ id: poison });
  const next = await toSource();
  await eventually('the next was tried', () => tries.includes(next));
  expect(await left()).toEqual([]);
  expect(tries).toEqual([poison, poison, next]);
  const [parked, ...others] = await takeMessages(harness.bus, PARKED);
  expect(others).toEqual([]);
  expect(parked?.properties).toMatchObject({
    messageId: poison,
    deliveryMode: 2,
    headers: { reason: 'handler failed', 'routing-key': requesterKey(SOURCE) },
  });
  expect(JSON.parse(parked?.content.toString() ?? '')).toMatchObject({ id: poison });
});

it('parks what nobody can read, byte by byte', async () => {
  const heard: string[] = [];
  await subscribe((outcome) => void heard.push(outcome.id));
  const bodies = ['not JSON', '{"specversion":"1.0"}', Buffer.from([0xff, 0x00])].map((body) => Buffer.from(body));
  for (const body of bodies) await harness.bus.publish('', QUEUE, body, { contentType: 'x/y' });
  await toSource({ data: { result: { n: 'not a number' } } });
  const last = await toSource();
  await eventually('all are parked', () => waiting(PARKED).then((count) => count === 4));
  await eventually('the last was heard', () => heard.length > 0);
  expect(await left()).toEqual([]);
  expect(heard).toEqual([last]);
  const parked = await takeMessages(harness.bus, PARKED);
  const parkedBodies = parked.map(({ content }) => content.toString('hex'));
  for (const body of bodies) expect(parkedBodies).toContain(body.toString('hex'));
  for (const { properties } of parked) expect(properties.headers).toMatchObject({ reason: 'unreadable' });
});

it('closed, it ends what runs, and leaves the rest in the queue', async () => {
  const finish = gate();
  const running = gate();
  const done: string[] = [];
  const { close } = await subscribe(
    async (outcome) => {
      if (outcome.sequence === 2) throw new Error('not now');
      running.open();
      await finish.opened;
      done.push(outcome.id);
    },
    { concurrency: 2 },
  );
  const first = await toSource();
  const waits = await toSource({ data: { sequence: 2 } });
  const behind = await toSource({ data: { sequence: 2 } });
  await running.opened;
  const closed = close();
  finish.open();
  await closed;
  expect(done).toEqual([first]);
  expect((await left()).sort()).toEqual([waits, behind].sort());
});

it('says what is missing when outcomes cannot be heard', async () => {
  await harness.bus.channel.deleteExchange('jobs.events');
  const client = QueueClient.open({
    amqpUrl: harness.environment.variables['AMQP_URL'] ?? '',
    source: SOURCE,
    deadlineMs: 2_000,
  });
  clients.push(client);
  const subscription = client.onOutcome(() => undefined, { queue: QUEUE });
  await expect(subscription.ready()).rejects.toMatchObject({
    name: 'NotReadyError',
    message: expect.stringContaining("no exchange 'jobs.events'"),
  });
});

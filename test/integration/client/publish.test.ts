import { randomUUID } from 'node:crypto';
import {
  NotSentError,
  QueueClient,
  UnconfirmedError,
  UnroutableError,
  type QueueClientOptions,
} from '../../../src/client';
import { EXCHANGES, QUEUES } from '../../../src/contract/names';
import { countJobs } from '../../support/client';
import { counterOf } from '../../support/counters';
import { eventually, openHarness, placedOrder, type Harness } from '../../support/harness';
import { TcpProxy } from '../../support/tcp-proxy';

const NEVER_MS = 1_000_000;
const canary = () => ({ n: 1, note: randomUUID() });

let harness: Harness;
let broker: TcpProxy;
let clients: QueueClient[];

beforeEach(async () => {
  clients = [];
  harness = await openHarness();
  broker = await TcpProxy.open(harness.environment.variables['AMQP_URL'] ?? '');
});
afterEach(async () => {
  broker?.resume();
  broker?.unblock();
  await Promise.all(clients.map((client) => client.close()));
  await harness?.close();
  await broker?.close();
});

/** A client whose line to the broker goes through `broker`, connected. */
async function openClient(over: Partial<QueueClientOptions> = {}): Promise<QueueClient> {
  const amqpUrl = broker.through(harness.environment.variables['AMQP_URL'] ?? '');
  const client = QueueClient.open({ amqpUrl, source: '/test-service', ...over });
  clients.push(client);
  await client.ready();
  return client;
}

/** The broker is away, and the client has noticed. */
async function takeBrokerAway(client: QueueClient): Promise<void> {
  broker.block();
  await eventually('the client has noticed', () => !client.connected);
}

const errorOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(() => undefined).catch((error: unknown) => error);

it('a request that resolved is done, and an event too', async () => {
  await harness.startService();
  const client = await openClient();
  const request = await client.publish('canary-money', canary(), { correlationId: 'order-1' });
  expect((await harness.bus.outcomeOf(request.id, 'completed')).data).toMatchObject({ correlationId: 'order-1' });
  const event = await client.publishEvent('order.placed', placedOrder());
  await harness.bus.outcomeOf(event.id, 'completed');
  expect(harness.stripe.ledger()).toHaveLength(1);
});

it('is in a queue of the broker by the time that the publication resolves', async () => {
  const client = await openClient();
  await client.publish('canary-money', canary());
  expect(await harness.bus.channel.get(QUEUES.requests.money, { noAck: true })).not.toBe(false);
});

it('is published again under the same id when its confirm was lost, and is one job', async () => {
  const service = await harness.startService();
  const client = await openClient();
  broker.holdAnswers();
  const publication = client.publish('canary-money', canary(), { id: 'request-1' });
  await harness.bus.outcomeOf('request-1', 'completed');
  broker.cut();
  expect(await publication).toEqual({ id: 'request-1' });
  await eventually('the second was taken', async () => (await counterOf(service, 'redeliveries_total')) === 1);
  expect(await countJobs(harness.environment.pool)).toBe(1);
  expect(harness.bus.outcomesOf('request-1')).toHaveLength(1);
});

it('a made-up id is kept over tries', async () => {
  const service = await harness.startService();
  const client = await openClient();
  broker.holdAnswers();
  const publication = client.publish('canary-money', canary());
  const completed = await eventually('it is done', () => harness.bus.outcomes[0]);
  broker.cut();
  expect(await publication).toEqual({ id: completed.data.requestId });
  await eventually('the second was taken', async () => (await counterOf(service, 'redeliveries_total')) === 1);
  expect(await countJobs(harness.environment.pool)).toBe(1);
});

it('without a confirm by its deadline it may have arrived: the same id again is the same request', async () => {
  await harness.startService();
  const client = await openClient({ deadlineMs: 2_000 });
  const payload = canary();
  broker.holdAnswers();
  const error = await errorOf(client.publish('canary-money', payload, { id: 'request-1' }));
  expect(error).toBeInstanceOf(UnconfirmedError);
  expect(error).toMatchObject({ id: 'request-1' });
  await harness.bus.outcomeOf('request-1', 'completed');
  broker.cut();
  await eventually('it has connected again', () => client.connected);
  await client.publish('canary-money', payload, { id: 'request-1' });
  const last = await client.publish('canary-money', canary());
  await harness.bus.outcomeOf(last.id, 'completed');
  expect(await countJobs(harness.environment.pool)).toBe(2);
});

it('fails at once while the broker is away, when it is told to', async () => {
  const client = await openClient({ whenFull: 'fail', deadlineMs: NEVER_MS });
  await takeBrokerAway(client);
  const error = await errorOf(client.publish('canary-money', canary()));
  expect(error).toBeInstanceOf(NotSentError);
  expect(error).toMatchObject({ reason: 'disconnected' });
});

it('waits for a broker that is away', async () => {
  const client = await openClient({ deadlineMs: NEVER_MS });
  await takeBrokerAway(client);
  const publications = Array.from({ length: 10 }, () => client.publish('canary-money', canary()));
  broker.unblock();
  const ids = (await Promise.all(publications)).map(({ id }) => id);
  expect(new Set(ids).size).toBe(10);
  await eventually('all are in the queue', () => waitingRequests().then((count) => count === 10));
});

it('waits for a broker no longer than until its deadline', async () => {
  const client = await openClient({ deadlineMs: 1_000 });
  await takeBrokerAway(client);
  expect(await errorOf(client.publish('canary-money', canary()))).toMatchObject({ reason: 'disconnected' });
  broker.unblock();
  await eventually('it has connected again', () => client.connected);
  expect(await waitingRequests()).toBe(0);
});

it('a broker that says nothing holds so many publications and no more', async () => {
  const client = await openClient({ whenFull: 'fail', maxPending: 5, deadlineMs: NEVER_MS });
  broker.holdAnswers();
  const pending = Array.from({ length: 5 }, () => client.publish('canary-money', canary()));
  await eventually('they have arrived', () => waitingRequests().then((count) => count === 5));
  expect(await errorOf(client.publish('canary-money', canary()))).toMatchObject({
    name: 'NotSentError',
    reason: 'full',
  });
  broker.resume();
  await Promise.all(pending);
  await client.publish('canary-money', canary());
  expect(await waitingRequests()).toBe(6);
});

it('a publication that was given up keeps its place for as long as it is in memory', async () => {
  const client = await openClient({ whenFull: 'fail', maxPending: 1, deadlineMs: 500 });
  broker.holdAnswers();
  expect(await errorOf(client.publish('canary-money', canary()))).toBeInstanceOf(UnconfirmedError);
  expect(await errorOf(client.publish('canary-money', canary()))).toMatchObject({ reason: 'full' });
  broker.resume();
  await eventually('there is room again', () =>
    client.publish('canary-money', canary()).then(
      () => true,
      () => false,
    ),
  );
});

it('waits for room, with as many callers as may be pending', async () => {
  const client = await openClient({ maxPending: 2, deadlineMs: NEVER_MS });
  broker.holdAnswers();
  const publications = Array.from({ length: 4 }, () => client.publish('canary-money', canary()));
  expect(await errorOf(client.publish('canary-money', canary()))).toMatchObject({ reason: 'full' });
  await eventually('two have arrived', () => waitingRequests().then((count) => count === 2));
  broker.resume();
  await Promise.all(publications);
  expect(await waitingRequests()).toBe(4);
});

it('what no queue takes is an error, and not kept', async () => {
  const client = await openClient();
  const { channel } = harness.bus;
  await channel.unbindQueue(QUEUES.requests.money, EXCHANGES.requests, 'money.#');
  await channel.unbindQueue(QUEUES.otherRequests, EXCHANGES.unrouted, '');
  const calls = Array.from({ length: 3 }, () => errorOf(client.publish('canary-money', canary(), { id: 'the-same' })));
  for (const error of await Promise.all(calls)) {
    expect(error).toBeInstanceOf(UnroutableError);
    expect(error).toMatchObject({ id: 'the-same' });
  }
});

it('says what is missing when the service was never there', async () => {
  await harness.bus.channel.deleteExchange(EXCHANGES.domainEvents);
  await expect(openClient({ deadlineMs: 3_000 })).rejects.toThrow(/no exchange 'platform\.events'/);
});

it('a closed client takes nothing more, after what was under way has ended', async () => {
  const client = await openClient();
  const publications = Array.from({ length: 20 }, () => client.publish('canary-money', canary()));
  await client.close();
  await Promise.all(publications);
  expect(await errorOf(client.publish('canary-money', canary()))).toMatchObject({ reason: 'closed' });
  expect(await waitingRequests()).toBe(20);
});

async function waitingRequests(): Promise<number> {
  return (await harness.bus.channel.checkQueue(QUEUES.requests.money)).messageCount;
}

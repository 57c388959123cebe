import { randomUUID } from 'node:crypto';
import type { Config } from '../../../src/config';
import { appendToOutbox, markPublished, readUnpublished, type OutboxMessage } from '../../../src/outbox/rows';
import type { Database } from '../../../src/platform/postgres/database';
import type { OutgoingMessage } from '../../../src/platform/rabbitmq/publisher';
import { around } from '../../support/around';
import { eventually, gate, openHarness, type Harness } from '../../support/harness';
import { openDatabase } from '../../support/records';
import { collect, countUnpublished, message, readRows, write, type Arrival } from '../../support/relayed';
import { TcpProxy } from '../../support/tcp-proxy';

const RELAY = { ROLES: 'relay' };

let harness: Harness;
let database: Database;
let broker: TcpProxy;
let arrivals: Arrival[];

beforeEach(async () => {
  harness = await openHarness();
  database = openDatabase(harness.environment.variables['DATABASE_URL'] ?? '');
  broker = await TcpProxy.open(harness.environment.variables['AMQP_URL'] ?? '');
  arrivals = await collect(harness.bus.channel);
});
afterEach(async () => {
  broker?.resume();
  await harness?.close();
  await database?.close();
  await broker?.close();
});

const tuned = (over: Partial<Config['relay']>) => (config: Config) => ({
  ...config,
  relay: { ...config.relay, pollMs: 50, ...over },
});
const throughProxy = () => ({ ...RELAY, AMQP_URL: broker.through(harness.environment.variables['AMQP_URL'] ?? '') });
const ids = (messages: { id: string }[]): string[] => messages.map(({ id }) => id);
const allPublished = () => countUnpublished(harness.environment.pool).then((count) => count === 0);
const metricsOf = (service: { metrics: { registry: { metrics(): Promise<string> } } }) =>
  service.metrics.registry.metrics();

it('publishes every message under its own id, once', async () => {
  await harness.startService({}, tuned({ batchSize: 7 }), RELAY);
  const messages = Array.from({ length: 50 }, (_, n) => message({ body: `${n}` }));
  await write(database, messages);
  await eventually('all are published', allPublished);
  await eventually('all have arrived', () => arrivals.length >= messages.length);
  expect(arrivals.map(({ messageId }) => messageId).sort()).toEqual(ids(messages).sort());
});

it('keeps the order of a key, with one message of it in flight', async () => {
  const written: OutboxMessage[] = [];
  const keys = [randomUUID(), randomUUID(), randomUUID()];
  const keyOf = (id: string): string => written.find((one) => one.id === id)?.orderingKey ?? '';
  const batches: string[][] = [];
  await harness.startService(
    {
      decorate: around({
        publish: (run, [batch]) => {
          // The step's own argument, whose type the wrapper has lost.
          batches.push((batch as OutgoingMessage[]).map(({ messageId }) => keyOf(messageId)));
          return run();
        },
      }),
    },
    tuned({}),
    RELAY,
  );
  for (let n = 0; n < 30; n += 1) {
    const one = message({ orderingKey: keys[n % keys.length] ?? '', body: `${n}` });
    written.push(one);
    await write(database, [one]);
  }
  await eventually('all have arrived', () => arrivals.length >= written.length);
  for (const key of keys) {
    const ofKey = written.filter((one) => one.orderingKey === key).map(({ body }) => body);
    expect(arrivals.filter(({ messageId }) => keyOf(messageId) === key).map(({ body }) => body)).toEqual(ofKey);
  }
  for (const batch of batches) expect(new Set(batch).size).toBe(batch.length);
});

it('publishes a message that commits after later ones were published', async () => {
  await harness.startService({}, tuned({}), RELAY);
  const early = message();
  const late = message();
  const written = gate();
  const commit = gate();
  const slow = database.transaction(async (tx) => {
    await appendToOutbox(tx, [early]);
    written.open();
    await commit.opened;
  });
  await written.opened;
  await write(database, [late]);
  await eventually('the later one has arrived', () => arrivals.length === 1);
  commit.open();
  await slow;
  await eventually('the earlier one has arrived', () => arrivals.length === 2);
  expect(arrivals.map(({ messageId }) => messageId)).toEqual(ids([late, early]));
});

it('while the broker is away messages keep their place and their tries', async () => {
  const service = await harness.startService({}, tuned({ batchSize: 10 }), throughProxy());
  await write(database, [message()]);
  await eventually('the relay works', () => arrivals.length === 1);
  broker.block();
  const messages = Array.from({ length: 40 }, () => message());
  await write(database, messages);
  const connected = broker.accepted;
  await eventually(
    'the relay has noticed',
    async () => /relay_leader 1/.test(await metricsOf(service)) && broker.open === 0,
  );
  broker.unblock();
  await eventually('it has connected again', () => broker.accepted > connected);
  await eventually('all are published', allPublished);
  expect((await readRows(harness.environment.pool)).every(({ attempts }) => attempts === 0)).toBe(true);
  expect(new Set(arrivals.map(({ messageId }) => messageId)).size).toBe(41);
});

it('a broker that confirms nothing holds one batch, and what it did confirm is marked', async () => {
  const batches: string[][] = [];
  let underWay = 0;
  let most = 0;
  await harness.startService(
    {
      decorate: around({
        publish: async (run, [batch]) => {
          // The step's own argument, whose type the wrapper has lost.
          const messages = batch as OutgoingMessage[];
          batches.push(messages.map(({ messageId }) => messageId));
          underWay += messages.length;
          most = Math.max(most, underWay);
          const answer = await run();
          underWay -= messages.length;
          return answer;
        },
      }),
    },
    (config) => ({ ...tuned({ batchSize: 5 })(config), rabbitmq: { ...config.rabbitmq, confirmTimeoutMs: 200 } }),
    throughProxy(),
  );
  const messages = Array.from({ length: 12 }, () => message());
  await write(database, [message()]);
  await eventually('the relay works', allPublished);
  const before = batches.length;
  broker.silence();
  await write(database, messages);
  await eventually('a batch got no confirm', () => batches.length > before && underWay === 0);
  expect(await countUnpublished(harness.environment.pool)).toBe(messages.length);
  expect((await readRows(harness.environment.pool)).filter(({ attempts }) => attempts > 0)).toEqual([]);
  const silent = batches.length;
  // Without a channel nothing more is sent: the relay has looked many times since.
  await eventually('the silent connection is given up', () => broker.open === 0, 30_000);
  expect(batches).toHaveLength(silent);
  broker.resume();
  await eventually('all are published', allPublished);
  expect(most).toBeLessThanOrEqual(5);
  expect(new Set(arrivals.map(({ messageId }) => messageId)).size).toBe(13);
});

it('puts off what no queue takes, holds back its key and nothing else, and parks it in the end', async () => {
  const service = await harness.startService({}, tuned({ maxAttempts: 2 }), RELAY);
  const { pool } = harness.environment;
  const key = randomUUID();
  const [lost, behind, other] = [
    message({ orderingKey: key, routingKey: 'nobody', body: 'lost' }),
    message({ orderingKey: key, body: 'behind' }),
    message({ body: 'other' }),
  ];
  const seen: { arrived: string[]; parked: boolean }[] = [];
  await write(database, [lost, behind, other]);
  await eventually('the one behind has arrived', async () => {
    const rows = await readRows(pool);
    seen.push({ arrived: arrivals.map(({ body }) => body), parked: rows[0]?.parked ?? false });
    return arrivals.length === 2;
  });
  expect(arrivals.map(({ body }) => body)).toEqual(['other', 'behind']);
  // Read before the parking was: what had arrived by then must not have overtaken.
  for (const { arrived, parked } of seen.slice(0, -1)) if (!parked) expect(arrived).not.toContain('behind');
  expect((await readRows(pool))[0]).toEqual({ id: lost.id, attempts: 2, published: false, parked: true });
  expect(await metricsOf(service)).toMatch(/outbox_parked_total 1/);
});

it('publishes what was put off under the same id, as soon as a queue takes it', async () => {
  await harness.startService({}, tuned({}), RELAY);
  const key = randomUUID();
  const first = message({ orderingKey: key, routingKey: 'later' });
  const second = message({ orderingKey: key });
  await write(database, [first, second]);
  await eventually('it was tried', async () => (await readRows(harness.environment.pool))[0]?.attempts === 1);
  expect(arrivals).toEqual([]);
  await harness.bus.channel.bindQueue('test.relayed', 'test.relayed', 'later');
  await eventually('both have arrived', () => arrivals.length === 2);
  expect(arrivals.map(({ messageId }) => messageId)).toEqual(ids([first, second]));
});

it('a subscriber whose queue is full holds up nobody else, and its messages are put off', async () => {
  await harness.startService({}, tuned({ batchSize: 5 }), RELAY);
  const { channel } = harness.bus;
  const { queue } = await channel.assertQueue('test.full', {
    arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' },
  });
  await channel.bindQueue(queue, 'test.relayed', 'full');
  const full = Array.from({ length: 12 }, () => message({ routingKey: 'full' }));
  const others = Array.from({ length: 12 }, () => message());
  // More refused ones than a batch holds come first.
  await write(database, [...full, ...others]);
  await eventually('the others have arrived', () => arrivals.length >= others.length);
  expect(arrivals.map(({ messageId }) => messageId).sort()).toEqual(ids(others).sort());
  const rows = await readRows(harness.environment.pool);
  expect(rows.filter(({ published }) => !published).every(({ attempts }) => attempts > 0)).toBe(true);
  expect(rows.filter(({ published }) => !published)).toHaveLength(full.length - 1);
});

it('an outcome that nobody subscribed to counts as published', async () => {
  const service = await harness.startService({}, tuned({}), RELAY);
  await write(database, [message({ routingKey: 'nobody', mandatory: false })]);
  await eventually('it is marked', allPublished);
  expect(await metricsOf(service)).toMatch(/outcomes_unrouted_total 1/);
});

it('is woken by a worker in another process, without looking by itself', async () => {
  await harness.startService({}, tuned({ pollMs: 10_000_000 }), RELAY);
  await harness.startService({}, undefined, { ROLES: 'consumer,worker,scheduler' });
  for (let n = 0; n < 3; n += 1) {
    const id = await harness.bus.request({ type: 'canary-money', data: { n, note: randomUUID() } });
    await harness.bus.outcomeOf(id, 'completed');
  }
});

it('publishes what it left behind when it is stopped while its broker is away', async () => {
  const first = await harness.startService({}, tuned({}), throughProxy());
  await write(database, [message()]);
  await eventually('the relay works', allPublished);
  broker.block();
  await write(database, [message()]);
  await first.stop();
  expect(await countUnpublished(harness.environment.pool)).toBe(1);
  await harness.startService({}, tuned({}), RELAY);
  await eventually('another relay publishes it', allPublished);
});

it('reads large messages in batches that are small, one at least, and publishes all of them in order', async () => {
  const MEBIBYTE = 1_048_576;
  const small = [message(), message()];
  const large = Array.from({ length: 9 }, () => message({ body: 'x'.repeat(MEBIBYTE) }));
  const huge = message({ body: 'x'.repeat(9 * MEBIBYTE) });
  await write(database, [...small, ...large, huge]);
  const read = () => readUnpublished(database, 100);
  expect(ids(await read())).toEqual(ids([...small, ...large.slice(0, 8)]));
  await markPublished(database, await read());
  expect(ids(await read())).toEqual(ids([...large.slice(8), huge]));
  await markPublished(database, (await read()).slice(0, 1));
  expect(ids(await read())).toEqual(ids([huge]));
  await harness.startService({}, tuned({}), RELAY);
  await eventually('the last one has arrived', () => arrivals.length === 1);
});

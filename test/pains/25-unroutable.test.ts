import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Config } from '../../src/config';
import { EXCHANGES, QUEUES } from '../../src/contract/names';
import { RabbitConnection } from '../../src/platform/rabbitmq/connection';
import { Publisher } from '../../src/platform/rabbitmq/publisher';
import { counterOf } from '../support/counters';
import { eventually, openHarness, type Harness } from '../support/harness';
import { openDatabase, silentLog } from '../support/records';
import { message, write } from '../support/relayed';

const row = z.object({
  id: z.string(),
  published: z.boolean(),
  attempts: z.number(),
  last_error: z.string().nullable(),
});

let harness: Harness;

beforeEach(async () => {
  harness = await openHarness();
});
afterEach(() => harness?.close());

const relayOnly = (config: Config): Config => ({ ...config, relay: { ...config.relay, pollMs: 50 } });
const rowsNow = async (): Promise<Map<string, z.infer<typeof row>>> => {
  const { rows } = await harness.environment.pool.query(
    'SELECT id, published_at IS NOT NULL AS published, attempts, last_error FROM outbox_events',
  );
  return new Map(
    z
      .array(row)
      .parse(rows)
      .map((one) => [one.id, one]),
  );
};

it('pain 25: bare amqplib reports as confirmed what the broker has thrown away', async () => {
  const { channel } = harness.bus;
  const error = await new Promise((resolve) => {
    channel.publish(EXCHANGES.domainEvents, 'order.unheard-of', Buffer.from('{}'), { persistent: true }, resolve);
  });
  expect(error).toBeNull();
  for (const queue of [QUEUES.domainEvents, QUEUES.otherRequests]) {
    expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 0 });
  }
});

it('pain 25: ours hears of the return before the confirm, for each message of a burst', async () => {
  const connection = new RabbitConnection(harness.environment.variables['AMQP_URL'] ?? '', 'test', silentLog);
  const publisher = new Publisher(connection, { name: 'test', setup: () => Promise.resolve() });
  try {
    await eventually('it is connected', () => publisher.connected);
    const burst = Array.from({ length: 200 }, (_, n) => ({
      messageId: randomUUID(),
      exchange: EXCHANGES.domainEvents,
      routingKey: n % 3 === 0 ? 'order.unheard-of' : 'order.placed',
      body: Buffer.from('{}'),
      contentType: 'application/json',
      type: 'test',
      mandatory: true,
    }));
    const results = await Promise.all(burst.map((one) => publisher.publish(one)));
    expect(results).toEqual(burst.map((_, n) => (n % 3 === 0 ? 'unroutable' : 'confirmed')));
  } finally {
    await publisher.close();
    await connection.close();
  }
});

it('pain 25: ours keeps a request or domain event that no queue takes, says why, and publishes it once one does', async () => {
  const { bus, environment } = harness;
  const database = openDatabase(environment.variables['DATABASE_URL'] ?? '');
  try {
    const service = await harness.startService({}, relayOnly, { ROLES: 'relay' });
    // The relay's first outcome shows that it has declared everything, and declares nothing again.
    const ready = message({ exchange: EXCHANGES.domainEvents, routingKey: 'order.placed' });
    await write(database, [ready]);
    await eventually('the relay works', async () => (await rowsNow()).get(ready.id)?.published);
    await bus.channel.unbindQueue(QUEUES.otherRequests, EXCHANGES.unrouted, '');

    const request = message({ exchange: EXCHANGES.requests, routingKey: 'gold.payment-process' });
    const event = message({ exchange: EXCHANGES.domainEvents, routingKey: 'order.unheard-of' });
    await write(database, [request, event]);
    for (const { id } of [request, event]) {
      const tried = await eventually('it was tried', async () => {
        const found = (await rowsNow()).get(id);
        return found && found.attempts > 0 ? found : undefined;
      });
      expect(tried).toMatchObject({ published: false, last_error: 'unroutable' });
    }
    const failures = /^outbox_publish_failures_total\{reason="unroutable"\} [1-9]/m;
    expect(await service.metrics.registry.metrics()).toMatch(failures);

    await bus.channel.bindQueue(QUEUES.otherRequests, EXCHANGES.unrouted, '');
    await bus.channel.bindQueue(QUEUES.otherRequests, EXCHANGES.domainEvents, 'order.unheard-of');
    const got = new Set<unknown>();
    await bus.channel.consume(QUEUES.otherRequests, (one) => void got.add(one?.properties.messageId), { noAck: true });
    await eventually('both have arrived under their own ids', () => got.has(request.id) && got.has(event.id));
    await eventually('both are marked', async () => {
      const rows = await rowsNow();
      return rows.get(request.id)?.published && rows.get(event.id)?.published;
    });
  } finally {
    await database.close();
  }
});

it('pain 25: ours counts an outcome as published that nobody subscribed to', async () => {
  const { bus } = harness;
  await bus.channel.unbindQueue('test.outcomes', EXCHANGES.outcomes, '#');
  const service = await harness.startService();
  const id = await bus.request({ type: 'canary-money', data: { n: 1, note: randomUUID() } });
  await eventually('it is published', async () => [...(await rowsNow()).values()].some(({ published }) => published));
  expect(await counterOf(service, 'outcomes_unrouted_total')).toBe(1);
  expect([...(await rowsNow()).values()]).toMatchObject([{ published: true, attempts: 0, last_error: null }]);
  expect(bus.outcomesOf(id)).toEqual([]);
});

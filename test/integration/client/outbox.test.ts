import { randomUUID } from 'node:crypto';
import knexFactory, { type Knex } from 'knex';
import { Pool } from 'pg';
import { z } from 'zod';
import { createOutboxTable, QueueClient, type OutboxRelay, type QueueClientOptions } from '../../../src/client';
import { EXCHANGES, QUEUES } from '../../../src/contract/names';
import { inTransaction, readOutbox } from '../../support/client';
import { eventually, openHarness, placedOrder, type Harness } from '../../support/harness';
import { ServiceProcess } from '../../support/service-process';
import { TcpProxy } from '../../support/tcp-proxy';

const TABLE = 'queue_outbox';
const canary = () => ({ n: 1, note: randomUUID() });

let harness: Harness;
let databaseUrl: string;
let pool: Pool;
let knex: Knex;
let clients: QueueClient[];

beforeEach(async () => {
  clients = [];
  harness = await openHarness();
  databaseUrl = harness.environment.variables['DATABASE_URL'] ?? '';
  pool = new Pool({ connectionString: databaseUrl, max: 3 });
  knex = knexFactory({ client: 'pg', connection: databaseUrl, pool: { min: 0, max: 3 } });
  await createOutboxTable(knex, TABLE);
  await pool.query('CREATE TABLE orders (id text PRIMARY KEY)');
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await knex?.destroy();
  await pool?.end();
  await harness?.close();
});

function openClient(over: Partial<QueueClientOptions> = {}): QueueClient {
  const amqpUrl = harness.environment.variables['AMQP_URL'] ?? '';
  const client = QueueClient.open({ amqpUrl, source: '/order-service', ...over });
  clients.push(client);
  return client;
}

/** What has arrived for the service, and is taken out of its way. */
async function arrived(): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const message = await harness.bus.channel.get(QUEUES.requests.money, { noAck: true });
    if (!message) return ids;
    ids.push(z.string().parse(message.properties.messageId));
  }
}

const rowsNow = () => readOutbox(pool, TABLE);
const allPublished = (count: number) => async () => {
  const rows = await rowsNow();
  return rows.length === count && rows.every(({ published }) => published);
};

describe('a request in a transaction', () => {
  it('of pg that commits is done, and so is an event', async () => {
    await harness.startService();
    const client = openClient();
    client.startRelay({ databaseUrl });
    const orderId = randomUUID();
    await inTransaction(pool, async (transaction) => {
      await transaction.query('INSERT INTO orders (id) VALUES ($1)', [orderId]);
      await client.publishInTransaction(transaction, 'canary-money', canary(), {
        id: 'request-1',
        correlationId: orderId,
      });
      await client.publishEventInTransaction(transaction, 'order.placed', placedOrder({ orderId }), { id: 'event-1' });
    });
    expect((await harness.bus.outcomeOf('request-1', 'completed')).data).toMatchObject({ correlationId: orderId });
    await harness.bus.outcomeOf('event-1', 'completed');
  });

  it('of knex that commits is done', async () => {
    await harness.startService();
    const client = openClient();
    client.startRelay({ databaseUrl });
    const { id } = await knex.transaction(async (transaction) => {
      await transaction('orders').insert({ id: 'order-1' });
      return client.publishInTransaction(transaction, 'canary-money', { n: 1, note: "it's $1 or ?" });
    });
    await harness.bus.outcomeOf(id, 'completed');
  });

  it('that rolls back is never published', async () => {
    const client = openClient();
    client.startRelay({ databaseUrl });
    const failure = new Error('the order is refused');
    const refuse = async (publish: () => Promise<unknown>) => {
      await publish();
      throw failure;
    };
    await expect(
      knex.transaction((trx) => refuse(() => client.publishInTransaction(trx, 'canary-money', canary()))),
    ).rejects.toThrow(failure);
    await expect(
      inTransaction(pool, (trx) => refuse(() => client.publishInTransaction(trx, 'canary-money', canary()))),
    ).rejects.toThrow(failure);
    await inTransaction(pool, (trx) => client.publishInTransaction(trx, 'canary-money', canary(), { id: 'last' }));
    await eventually('the last is published', async () => (await rowsNow()).some(({ published }) => published));
    expect(await rowsNow()).toMatchObject([{ id: 'last' }]);
    expect(await arrived()).toEqual(['last']);
  });

  it('is not written when it is not sound, and the transaction may go on', async () => {
    const client = openClient();
    await inTransaction(pool, async (transaction) => {
      const call = client.publishInTransaction(transaction, 'canary-money', { n: 1.5 });
      await expect(call).rejects.toMatchObject({ name: 'InvalidCallError' });
      await transaction.query(`INSERT INTO orders (id) VALUES ('order-1')`);
    });
    expect((await pool.query('SELECT id FROM orders')).rows).toEqual([{ id: 'order-1' }]);
    expect(await rowsNow()).toEqual([]);
  });

  it('needs no broker, and is published by whoever runs next when its process dies', async () => {
    const committer = new ServiceProcess('test/support/client-committer.ts', {
      DATABASE_URL: databaseUrl,
      // Nobody listens there.
      AMQP_URL: 'amqp://127.0.0.1:1',
    });
    await eventually('it has committed', () => committer.output.includes('committed'));
    committer.kill('SIGKILL');
    await committer.exited;
    expect((await pool.query('SELECT id FROM orders')).rows).toEqual([{ id: 'committed' }]);
    await harness.startService();
    openClient().startRelay({ databaseUrl });
    await harness.bus.outcomeOf('committed', 'completed');
    expect(await rowsNow()).toMatchObject([{ id: 'committed' }]);
  });

  it('is refused where each statement would commit by itself', async () => {
    const client = openClient();
    const refused = { name: 'InvalidCallError', problems: [{ path: 'transaction' }] };
    // @ts-expect-error -- each query of a pool may go to another connection
    await expect(client.publishInTransaction(pool, 'canary-money', canary())).rejects.toMatchObject(refused);
    // @ts-expect-error -- knex itself is no transaction
    await expect(client.publishInTransaction(knex, 'canary-money', canary())).rejects.toMatchObject(refused);
    expect(await rowsNow()).toEqual([]);
  });
});

describe('relays', () => {
  const write = async (client: QueueClient, count: number): Promise<string[]> => {
    const ids: string[] = [];
    await inTransaction(pool, async (transaction) => {
      for (let n = 0; n < count; n += 1) {
        ids.push((await client.publishInTransaction(transaction, 'canary-money', canary())).id);
      }
    });
    return ids.sort();
  };

  it('of one table take turns: each message is published once, also after the one that published has gone', async () => {
    const relays: OutboxRelay[] = [openClient(), openClient()].map((client) => client.startRelay({ databaseUrl }));
    const activeNow = () => relays.filter(({ active }) => active);
    const active = await eventually('one is active', () => activeNow()[0]);
    const client = openClient();
    const first = await write(client, 250);
    await eventually('all are published', allPublished(250));
    expect((await arrived()).sort()).toEqual(first);
    expect(activeNow()).toEqual([active]);
    await active.stop();
    const second = await write(client, 20);
    await eventually('the rest is published', allPublished(270));
    expect((await arrived()).sort()).toEqual(second);
    expect(activeNow()).not.toContain(active);
  });

  it('publish again under the same id what was confirmed to a line that broke', async () => {
    const broker = await TcpProxy.open(harness.environment.variables['AMQP_URL'] ?? '');
    try {
      const client = openClient({ amqpUrl: broker.through(harness.environment.variables['AMQP_URL'] ?? '') });
      client.startRelay({ databaseUrl });
      await write(client, 1);
      await eventually('the relay works', allPublished(1));
      expect(await arrived()).toHaveLength(1);
      broker.holdAnswers();
      const ids = await write(client, 3);
      const seen: string[] = [];
      await eventually('they have arrived', async () => seen.push(...(await arrived())) >= 3);
      broker.cut();
      await eventually('they are marked', allPublished(4));
      seen.push(...(await arrived()));
      expect(seen.length).toBeGreaterThan(3);
      expect([...new Set(seen)].sort()).toEqual(ids);
    } finally {
      await Promise.all(clients.map((client) => client.close()));
      await broker.close();
    }
  });

  it('keep what no queue takes, and say so', async () => {
    const client = openClient();
    const { channel } = harness.bus;
    await channel.unbindQueue(QUEUES.requests.money, EXCHANGES.requests, 'money.#');
    await channel.unbindQueue(QUEUES.otherRequests, EXCHANGES.unrouted, '');
    const relay = client.startRelay({ databaseUrl });
    await write(client, 1);
    await eventually('it was tried', async () => (await rowsNow())[0]?.last_error === 'unroutable');
    expect(await relay.backlog()).toMatchObject({ rows: 1, parked: 0 });
    // One try before the last of those that it has.
    await pool.query(`UPDATE ${TABLE} SET attempts = 19, next_attempt_at = NULL`);
    await eventually('it is parked', async () => (await relay.backlog()).parked === 1);
    await channel.bindQueue(QUEUES.requests.money, EXCHANGES.requests, 'money.#');
    await pool.query(`UPDATE ${TABLE} SET parked_at = NULL, attempts = 0, next_attempt_at = NULL`);
    await eventually('it is published', allPublished(1));
    expect(await relay.backlog()).toEqual({ rows: 0, ageSeconds: 0, parked: 0 });
  });
});

import knexFactory, { type Knex } from 'knex';
import { Pool } from 'pg';
import { createOutboxTable, deletePublished, dropOutboxTable, QueueClient } from '../../../src/client';
import { inTransaction, readOutbox } from '../../support/client';
import { openHarness, type Harness } from '../../support/harness';

const TABLE = 'queue_outbox';

let harness: Harness;
let pool: Pool;
let knex: Knex;
let clients: QueueClient[];

beforeAll(async () => {
  clients = [];
  harness = await openHarness();
  const url = harness.environment.variables['DATABASE_URL'] ?? '';
  pool = new Pool({ connectionString: url, max: 3 });
  knex = knexFactory({ client: 'pg', connection: url, pool: { min: 0, max: 3 } });
  await createOutboxTable(knex, TABLE);
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await knex?.destroy();
  await pool?.end();
  await harness?.close();
});

function openClient(outboxTable: string): QueueClient {
  const amqpUrl = harness.environment.variables['AMQP_URL'] ?? '';
  const client = QueueClient.open({ amqpUrl, source: '/order-service', outboxTable });
  clients.push(client);
  return client;
}

it('tables are created once, however often and by however many, and dropped', async () => {
  const create = () => createOutboxTable(pool, 'other_outbox');
  await Promise.all([create(), create(), create()]);
  await create();
  const client = openClient('other_outbox');
  await inTransaction(pool, (transaction) => client.publishInTransaction(transaction, 'canary-money', { n: 1 }));
  expect(await readOutbox(pool, 'other_outbox')).toHaveLength(1);
  await dropOutboxTable(knex, 'other_outbox');
  await dropOutboxTable(knex, 'other_outbox');
  const { rows } = await pool.query(
    `SELECT to_regclass('other_outbox') AS box, to_regclass('other_outbox_leases') AS leases`,
  );
  expect(rows).toEqual([{ box: null, leases: null }]);
});

it.each(['Orders', 'orders; DROP TABLE orders', 'public.orders', '', 'o'.repeat(41)])(
  'refuses the table name %j',
  async (name) => {
    await expect(createOutboxTable(pool, name)).rejects.toThrow(RangeError);
    expect(() => openClient(name)).toThrow(/outboxTable: is not a plain table name/);
  },
);

it('lets go of what was published long ago, and of nothing else', async () => {
  await pool.query(
    `INSERT INTO ${TABLE} (id, ordering_key, exchange, routing_key, properties, body, mandatory, created_at, published_at, parked_at)
     SELECT kind || n, gen_random_uuid(), '', '', '{}', '', true, now() - interval '10 days',
       CASE kind WHEN 'old' THEN now() - interval '8 days' WHEN 'young' THEN now() - interval '6 days' END,
       CASE kind WHEN 'parked' THEN now() - interval '8 days' END
     FROM unnest(ARRAY['old', 'young', 'waiting', 'parked']) AS kind,
       generate_series(1, CASE kind WHEN 'old' THEN 2500 ELSE 1 END) AS n`,
  );
  expect(await deletePublished(pool, TABLE, 7)).toBe(2_500);
  expect((await readOutbox(pool, TABLE)).map(({ id }) => id).sort()).toEqual(['parked1', 'waiting1', 'young1']);
  expect(await deletePublished(knex, TABLE, 5)).toBe(1);
});

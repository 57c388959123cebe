import { randomUUID } from 'node:crypto';
import knexFactory, { type Knex } from 'knex';
import { Pool, type PoolClient } from 'pg';
import { z } from 'zod';
import {
  createInboxTable,
  deleteHandled,
  dropInboxTable,
  knexInbox,
  pgInbox,
  QueueClient,
  type Inbox,
  type OutcomeHandler,
  type OutcomeOptions,
} from '../../../src/client';
import { requesterKey } from '../../../src/contract/names';
import { publishOutcome, takeMessages } from '../../support/client';
import { eventually, gate, openHarness, type Harness } from '../../support/harness';
import { TcpProxy } from '../../support/tcp-proxy';

const SOURCE = '/order-service';
const QUEUE = 'order-service.outcomes';

let harness: Harness;
let broker: TcpProxy;
let database: TcpProxy;
let pool: Pool;
let knex: Knex;
let clients: QueueClient[];

beforeEach(async () => {
  clients = [];
  harness = await openHarness();
  broker = await TcpProxy.open(harness.environment.variables['AMQP_URL'] ?? '');
  const databaseUrl = harness.environment.variables['DATABASE_URL'] ?? '';
  database = await TcpProxy.open(databaseUrl);
  pool = new Pool({ connectionString: database.through(databaseUrl), max: 3, connectionTimeoutMillis: 1_000 });
  pool.on('error', () => undefined);
  knex = knexFactory({ client: 'pg', connection: databaseUrl, pool: { min: 0, max: 3 } });
  await createInboxTable(knex, 'queue_inbox');
  await knex.raw('CREATE TABLE effects (outcome_id text NOT NULL)');
});
afterEach(async () => {
  broker?.unblock();
  database?.unblock();
  await Promise.all(clients.map((client) => client.close()));
  await pool?.end();
  await knex?.destroy();
  await harness?.close();
  await broker?.close();
  await database?.close();
});

/** A process of the subscriber, as far as this can be told inside one. */
async function subscribe<Transaction>(
  inbox: Inbox<Transaction>,
  handler: OutcomeHandler<Transaction>,
  over: Partial<OutcomeOptions> = {},
): Promise<QueueClient> {
  const amqpUrl = broker.through(harness.environment.variables['AMQP_URL'] ?? '');
  const client = QueueClient.open({ amqpUrl, source: SOURCE });
  clients.push(client);
  await client.onOutcome(handler, { queue: QUEUE, inbox, ...over }).ready();
  return client;
}

const toSource = (id: string = randomUUID()) => publishOutcome(harness.bus, requesterKey(SOURCE), { id });
const waiting = async (queue = QUEUE) => (await harness.bus.channel.checkQueue(queue)).messageCount;
const effects = async () => {
  const { rows }: { rows: unknown } = await knex.raw('SELECT outcome_id FROM effects');
  return z
    .array(z.object({ outcome_id: z.string() }))
    .parse(rows)
    .map((row) => row.outcome_id);
};
const insertByPg = (transaction: PoolClient, id: string) =>
  transaction.query('INSERT INTO effects (outcome_id) VALUES ($1)', [id]);

/** Closes everything that takes outcomes: what was not acknowledged is in the queue again. */
async function left(): Promise<number> {
  await Promise.all(clients.map((client) => client.close()));
  return (await takeMessages(harness.bus, QUEUE)).length;
}

it('an effect whose acknowledgement was lost is there once, also after a restart', async () => {
  const running = gate();
  const finish = gate();
  const first = await subscribe(pgInbox(pool), async (outcome, { transaction }) => {
    await insertByPg(transaction, outcome.id);
    running.open();
    await finish.opened;
  });
  const id = await toSource();
  await running.opened;
  broker.block();
  await eventually('it is back in the queue', () => waiting().then((count) => count === 1));
  finish.open();
  await eventually('the effect has committed', async () => (await effects()).includes(id));
  const closed = first.close();
  broker.unblock();
  await closed;
  const again: string[] = [];
  await subscribe(knexInbox(knex), (outcome) => void again.push(outcome.id));
  const last = await toSource();
  await eventually('what came after it is handled', () => again.includes(last));
  expect(await left()).toBe(0);
  expect(again).toEqual([last]);
  expect(await effects()).toEqual([id]);
});

it('two processes that get the same outcome make one effect of it', async () => {
  const finish = gate();
  let begun = 0;
  const handler: OutcomeHandler<Knex.Transaction> = async (outcome, { transaction }) => {
    begun += 1;
    await transaction('effects').insert({ outcome_id: outcome.id });
    await finish.opened;
  };
  const one = await subscribe(knexInbox(knex), handler, { concurrency: 1 });
  const other = await subscribe(knexInbox(knex), handler, { concurrency: 1 });
  const id = await toSource();
  await toSource(id);
  await eventually('one has begun and the other waits for it', async () => {
    const { rows }: { rows: unknown } = await knex.raw(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return begun === 1 && z.array(z.unknown()).parse(rows).length === 1;
  });
  finish.open();
  await eventually('the effect has committed', async () => (await effects()).length > 0);
  await Promise.all([one.close(), other.close()]);
  expect(await effects()).toEqual([id]);
  expect(await left()).toBe(0);
  expect(begun).toBe(1);
});

it.each([
  ['pg', () => pgInbox(pool)],
  ['knex', () => knexInbox(knex)],
])('a handler that fails leaves no effect behind, and is tried again (%s)', async (_driver, inbox) => {
  let tries = 0;
  await subscribe<PoolClient | Knex.Transaction>(inbox(), async (outcome, { transaction }) => {
    tries += 1;
    if ('raw' in transaction) await transaction('effects').insert({ outcome_id: outcome.id });
    else await insertByPg(transaction, outcome.id);
    if (tries === 1) throw new Error('not now');
  });
  const id = await toSource();
  await eventually('the effect has committed', async () => (await effects()).length > 0);
  expect(await left()).toBe(0);
  expect(tries).toBe(2);
  expect(await effects()).toEqual([id]);
});

it.each([
  ['pg', () => pgInbox(pool)],
  ['knex', () => knexInbox(knex)],
])('a transaction that is broken and says nothing is no success (%s)', async (_driver, inbox) => {
  let tries = 0;
  await subscribe<PoolClient | Knex.Transaction>(inbox(), async (outcome, { transaction }) => {
    tries += 1;
    if ('raw' in transaction) {
      await transaction('effects').insert({ outcome_id: outcome.id });
      if (tries === 1) await transaction.raw('SELECT 1 / 0').catch(() => undefined);
    } else {
      await insertByPg(transaction, outcome.id);
      if (tries === 1) await transaction.query('SELECT 1 / 0').catch(() => undefined);
    }
  });
  const id = await toSource();
  await eventually('the effect has committed', async () => (await effects()).length > 0);
  expect(await left()).toBe(0);
  expect(await effects()).toEqual([id]);
});

it('while the database is away outcomes wait, and none is parked for it', async () => {
  await subscribe(
    pgInbox(pool),
    (outcome, { transaction }) => insertByPg(transaction, outcome.id).then(() => undefined),
    {
      maxTries: 1,
    },
  );
  database.block();
  const id = await toSource();
  const refused = database.refused;
  await eventually('it was tried twice', () => database.refused >= refused + 2);
  database.unblock();
  await eventually('the effect has committed', async () => (await effects()).length > 0);
  expect(await left()).toBe(0);
  expect(await effects()).toEqual([id]);
  expect(await waiting(`${QUEUE}.parked`)).toBe(0);
});

it('the table is created once, forgets what is old, and is dropped', async () => {
  await createInboxTable(pool, 'other_inbox');
  await createInboxTable(pool, 'other_inbox');
  await knex.raw(
    `INSERT INTO other_inbox (queue, outcome_id, handled_at)
     VALUES ('q', 'old', now() - interval '31 days'), ('q', 'young', now() - interval '29 days')`,
  );
  expect(await deleteHandled(knex, 'other_inbox', 30)).toBe(1);
  expect((await pool.query('SELECT outcome_id FROM other_inbox')).rows).toEqual([{ outcome_id: 'young' }]);
  await dropInboxTable(pool, 'other_inbox');
  await dropInboxTable(knex, 'other_inbox');
  expect((await pool.query(`SELECT to_regclass('other_inbox') AS name`)).rows).toEqual([{ name: null }]);
});

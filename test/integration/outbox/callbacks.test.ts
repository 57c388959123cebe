/** Which outcomes are called back to whom, and that it is decided in the transaction which publishes them. */
import { randomUUID } from 'node:crypto';
import type { Database } from '../../../src/platform/postgres/database';
import { SubscriptionBook } from '../../../src/subscriptions/book';
import { deleteDeliveries } from '../../../src/subscriptions/deliveries';
import { disableSubscription, insertSubscription, type NewSubscription } from '../../../src/subscriptions/rows';
import { createTestEnvironment, type TestEnvironment } from '../../support/harness/environment';
import { openDatabase, silentLog } from '../../support/records';

let environment: TestEnvironment;
let database: Database;
let book: SubscriptionBook;

beforeAll(async () => {
  environment = await createTestEnvironment('http://stripe.invalid');
  database = openDatabase(environment.variables['DATABASE_URL'] ?? '');
});
beforeEach(async () => {
  await environment.pool.query('TRUNCATE webhook_subscriptions, webhook_deliveries');
  // Not started: it has read nothing, and looks everything up.
  book = new SubscriptionBook(database, silentLog);
});
afterAll(async () => {
  await database?.close();
  await environment?.remove();
});

async function subscription(over: Partial<NewSubscription> = {}): Promise<string> {
  const id = randomUUID();
  const url = 'https://shop.example.com/hook';
  await insertSubscription(database, { id, url, jobTypes: [], outcomes: [], createdBy: '/shop', ...over });
  return id;
}

const outcome = (routingKey: string, exchange = 'jobs.events') => ({
  id: randomUUID(),
  exchange,
  routingKey,
  body: '{}',
});
const requestsFor = (outcomes: ReturnType<typeof outcome>[]) =>
  database.transaction((tx) => book.requestsFor(tx, outcomes));
const deliveries = async () =>
  (await environment.pool.query('SELECT subscription_id, event_id FROM webhook_deliveries')).rows;

it('asks for a call to everybody who wants to be told, as anybody asks for a job', async () => {
  const all = await subscription();
  const some = await subscription({ jobTypes: ['payment-process'], outcomes: ['completed', 'failed'] });
  await subscription({ jobTypes: ['send-sms'] });
  await subscription({ outcomes: ['rejected'] });
  const paid = outcome('money.payment-process.completed');
  const requests = await requestsFor([paid]);

  const wanted = [all, some].map((subscriptionId) => ({ subscriptionId, eventId: paid.id }));
  expect(requests.map(({ body }): unknown => JSON.parse(body))).toEqual(
    expect.arrayContaining(wanted.map((data) => expect.objectContaining({ data: { type: 'webhook-deliver', data } }))),
  );
  expect(requests).toHaveLength(2);
  expect(requests[0]).toMatchObject({
    exchange: 'jobs.requests',
    routingKey: 'communication.webhook-deliver',
    mandatory: true,
  });
  expect(await deliveries()).toHaveLength(2);
});

it('the same outcome again asks for nothing again', async () => {
  await subscription();
  const paid = outcome('money.payment-process.completed');
  expect(await requestsFor([paid])).toHaveLength(1);
  expect(await requestsFor([paid])).toEqual([]);
});

it('what a call itself comes to is called back to nobody', async () => {
  await subscription();
  expect(await requestsFor([outcome('communication.webhook-deliver.failed')])).toEqual([]);
  expect(await deliveries()).toEqual([]);
});

it('what is no outcome is called back to nobody', async () => {
  await subscription();
  expect(await requestsFor([outcome('money.payment-process.completed', 'platform.events')])).toEqual([]);
});

it('a subscription that is over is told nothing', async () => {
  await disableSubscription(database, await subscription(), 'SUBSCRIBER_GONE');
  expect(await requestsFor([outcome('money.payment-process.completed')])).toEqual([]);
});

it('of an outcome that is not published in the end, nobody is told', async () => {
  await subscription();
  const undone = database.transaction(async (tx) => {
    await book.requestsFor(tx, [outcome('money.payment-process.completed')]);
    throw new Error('undone');
  });
  await expect(undone).rejects.toThrow('undone');
  expect(await deliveries()).toEqual([]);
});

it('what became of calls is forgotten after its time', async () => {
  await subscription();
  await requestsFor([outcome('money.payment-process.completed'), outcome('money.payment-process.failed')]);
  const later = new Date(Date.now() + 60_000);
  expect([await deleteDeliveries(database, new Date(0), 1), await deleteDeliveries(database, later, 1)]).toEqual([
    0, 1,
  ]);
  expect(await deliveries()).toHaveLength(1);
});

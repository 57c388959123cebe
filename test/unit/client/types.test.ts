/**
 * What must not compile: the compiler complains of an `@ts-expect-error` that expects nothing (`npm run check`). Each of
 * these calls is also refused at run time, for callers without types.
 */
import { randomUUID } from 'node:crypto';
import {
  InvalidCallError,
  QueueClient,
  type Inbox,
  type Outcome,
  type PayloadOf,
  type ResultOf,
} from '../../../src/client';
import { readOutcome } from '../../../src/client/outcome';
import { writtenOutcome } from '../../support/client';

const PAYMENT: PayloadOf<'payment-process'> = {
  userId: randomUUID(),
  venueId: randomUUID(),
  eventId: randomUUID(),
  amount: 10_000,
  paymentMethod: 'pm_card_visa',
};

const RESULT: ResultOf<'payment-process'> = {
  transactionId: randomUUID(),
  chargeId: 'ch_1',
  paymentIntentId: 'pi_1',
  provider: 'stripe',
  amount: 10_000,
  currency: 'USD',
  status: 'completed',
  processedAt: new Date().toISOString(),
};

const COMPLETED = writtenOutcome('o-1', { type: 'payment-process', result: RESULT });

let client: QueueClient;

beforeAll(() => {
  // Nobody listens there: what is refused is refused before it would be sent.
  client = QueueClient.open({
    amqpUrl: 'amqp://127.0.0.1:1',
    source: '/test-service',
    whenFull: 'fail',
    deadlineMs: 1_000,
  });
});
afterAll(() => client.close());

const problemsOf = async (call: Promise<unknown>): Promise<string[]> => {
  const error: unknown = await call.catch((reason: unknown) => reason);
  if (!(error instanceof InvalidCallError)) throw new Error('the call was not refused');
  return error.problems.map(({ path }) => path);
};

it('a payload of another form', async () => {
  // @ts-expect-error -- a text is no amount
  expect(await problemsOf(client.publish('payment-process', { ...PAYMENT, amount: '1' }))).toEqual(['payload.amount']);
  // @ts-expect-error -- the user is missing
  expect(await problemsOf(client.publish('payment-process', { ...PAYMENT, userId: undefined }))).toEqual([
    'payload.userId',
  ]);
  // @ts-expect-error -- a member that the type does not know
  expect(await problemsOf(client.publish('canary-money', { n: 1, m: 2 }))).toEqual(['payload']);
  // @ts-expect-error -- the payload of another type
  expect(await problemsOf(client.publish('canary-money', PAYMENT))).toContain('payload.n');
});

it('a type or an event that does not exist', async () => {
  // @ts-expect-error -- misspelt
  expect(await problemsOf(client.publish('payment-proces', PAYMENT))).toEqual(['type']);
  // @ts-expect-error -- misspelt
  expect(await problemsOf(client.publishEvent('order.place', {}))).toEqual(['name']);
});

it('an option that does not exist, or with another form', async () => {
  // @ts-expect-error -- misspelt
  expect(await problemsOf(client.publish('canary-money', { n: 1 }, { idempotencykey: 'k' }))).toEqual(['(body)']);
  // @ts-expect-error -- a number, not a text
  expect(await problemsOf(client.publish('canary-money', { n: 1 }, { options: { priority: 'high' } }))).toEqual([
    'options.priority',
  ]);
  // @ts-expect-error -- a date, not a text
  expect(await problemsOf(client.publish('canary-money', { n: 1 }, { time: '2026-01-15' }))).toEqual(['time']);
  // @ts-expect-error -- an event has no key of its own
  expect(await problemsOf(client.publishEvent('order.placed', {}, { idempotencyKey: 'k' }))).toContain('(body)');
});

it('the data of an event in another form', async () => {
  // @ts-expect-error -- nothing of the order is there
  expect(await problemsOf(client.publishEvent('order.placed', { orderId: 'o' }))).toContain('data.userId');
});

it('an option of the client that does not exist', () => {
  // @ts-expect-error -- misspelt
  expect(() => QueueClient.open({ amqpUrl: 'amqp://127.0.0.1:1', source: '/s', maxpending: 1 })).toThrow(
    InvalidCallError,
  );
  // @ts-expect-error -- nobody publishes
  expect(() => QueueClient.open({ amqpUrl: 'amqp://127.0.0.1:1' })).toThrow(InvalidCallError);
});

it('a result is typed by its job type', () => {
  const canary: ResultOf<'canary-money'> = { n: 1 };
  // @ts-expect-error -- a canary charges nobody
  expect(canary.chargeId).toBeUndefined();
  expect(canary.n).toBe(1);
});

it('an outcome is told apart by its type and by how it ended', () => {
  const chargeOf = (outcome: Outcome): string | undefined => {
    if (outcome.type === 'unknown') return outcome.typeName;
    // @ts-expect-error -- not every type has one
    if (outcome.outcome === 'completed') expect(outcome.result.chargeId).toBe('ch_1');
    if (outcome.type !== 'payment-process') return undefined;
    // @ts-expect-error -- one that did not complete has none
    if (outcome.outcome === 'failed') return outcome.result.chargeId;
    // @ts-expect-error -- there may be none yet
    if (outcome.outcome === 'duplicate') return outcome.result.chargeId;
    return outcome.outcome === 'completed' ? outcome.result.chargeId : outcome.error?.code;
  };
  const parsed = readOutcome(Buffer.from(COMPLETED.body));
  expect('outcome' in parsed && chargeOf(parsed.outcome)).toBe('ch_1');
});

it('a handler without an inbox has no transaction', () => {
  const inbox: Inbox<{ insert: () => void }> = { once: () => Promise.resolve() };
  client.onOutcome((_outcome, { transaction }) => transaction.insert(), { queue: 'q', inbox });
  // @ts-expect-error -- nobody gave it one
  client.onOutcome((_outcome, { transaction }) => transaction.insert(), { queue: 'q' });
  // @ts-expect-error -- the queue has no name
  expect(() => client.onOutcome(() => undefined, {})).toThrow(InvalidCallError);
  // @ts-expect-error -- misspelt
  expect(() => client.onOutcome(() => undefined, { queue: 'q', maxtries: 1 })).toThrow(InvalidCallError);
});

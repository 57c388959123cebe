/** What a program that knows nothing but the public contract is told when it asks for what cannot be. */
import { randomUUID } from 'node:crypto';
import { eventually } from '../support/harness/wait';
import type { PlainService } from '../support/plain-service';
import { expectCarried, faultsIn, openPlainStage, payment, PAYMENT, type PlainStage } from '../support/plain-stage';

let stage: PlainStage;
let shop: PlainService;

beforeAll(async () => {
  stage = await openPlainStage();
  shop = stage.shop;
}, 120_000);
afterAll(() => stage?.close());

describe('a request that can never be accepted is answered as rejected, with every problem', () => {
  const rejected = async (id: string, key: string) => {
    const heard = await shop.answer(id, 'rejected');
    expectCarried(heard, key);
    if (heard.event.data.outcome !== 'rejected') throw new Error('it is not a rejection');
    const { code, replayable, details } = heard.event.data.error;
    expect(replayable).toBe(false);
    return { code, paths: details.map(({ path }) => path).toSorted(), data: heard.event.data };
  };

  it.each<[string, string, Record<string, unknown>, Record<string, unknown>, string, string, string[]]>([
    [
      'a payload with two faults',
      PAYMENT,
      payment({ amount: -1, userId: 'me' }),
      {},
      `${PAYMENT}.rejected`,
      'INVALID_REQUEST',
      ['data.data.amount', 'data.data.userId'],
    ],
    [
      'options out of bounds',
      PAYMENT,
      payment(),
      { options: { priority: 11, attempts: 0, delay: -1, timeout: 1 } },
      `${PAYMENT}.rejected`,
      'INVALID_REQUEST',
      ['data.options.attempts', 'data.options.delay', 'data.options.priority', 'data.options.timeout'],
    ],
    ['an unknown type', 'money.no-such-type', {}, {}, 'money.no-such-type.rejected', 'UNKNOWN_TYPE', ['data.type']],
    [
      'a type that no routing key can carry',
      PAYMENT,
      {},
      { type: 'No Such Type' },
      'money.unknown.rejected',
      'UNKNOWN_TYPE',
      ['data.type', 'data.type'],
    ],
    [
      'a queue that is not its type’s',
      PAYMENT,
      payment(),
      { queue: 'background' },
      `${PAYMENT}.rejected`,
      'WRONG_QUEUE',
      ['data.queue'],
    ],
    [
      'a routing key for another type',
      PAYMENT,
      { n: 1 },
      { type: 'canary-money' },
      'money.canary-money.rejected',
      'WRONG_QUEUE',
      ['(routing key)'],
    ],
  ])('%s', async (_, key, data, more, answer, code, paths) => {
    const id = await shop.request({ key, data, more, correlationid: 'order-7' });
    const found = await rejected(id, answer);
    expect(found).toMatchObject({ code, paths, data: { jobId: null, correlationId: 'order-7' } });
  });

  it('a routing key that no tier takes', async () => {
    const id = await shop.request({ key: 'gold.payment-process', data: payment() });
    const { event } = await shop.answer(id, 'rejected');
    expect(event.data.error?.code).toBe('WRONG_QUEUE');
  });

  it('an event without a readable part, whose answer everybody finds under unknown', async () => {
    const known = shop.nameless.length;
    await shop.publish('jobs.requests', PAYMENT, `{"id": "${randomUUID()}`);
    const heard = await eventually('its answer', () => shop.nameless[known]);
    expectCarried(heard, 'money.unknown.rejected');
    expect(heard.event.data).toMatchObject({ queue: 'money', type: 'unknown', error: { code: 'UNREADABLE' } });
  });

  it('an event over 1 MiB', async () => {
    const known = shop.nameless.length;
    await shop.request({ key: PAYMENT, data: payment({ deviceFingerprint: 'x'.repeat(1_048_576) }) });
    const heard = await eventually('its answer', () => shop.nameless[known]);
    expect(heard.event.data.error?.code).toBe('UNREADABLE');
  });

  it('a key that is held by other work', async () => {
    const more = { idempotencyKey: randomUUID() };
    const first = await shop.answer(await shop.request({ key: PAYMENT, data: payment(), more }), 'completed');
    const id = await shop.request({ key: PAYMENT, data: payment(), more });
    expect(await rejected(id, `${PAYMENT}.rejected`)).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
      paths: ['data.idempotencyKey'],
      data: { jobId: first.event.data.jobId, idempotencyKey: more.idempotencyKey },
    });
  });

  it('an identity that stands for another request', async () => {
    const id = await shop.request({ key: PAYMENT, data: payment() });
    const first = await shop.answer(id, 'completed');
    await shop.request({ key: PAYMENT, data: payment(), id });
    expect(await rejected(id, `${PAYMENT}.rejected`)).toMatchObject({
      code: 'REQUEST_ID_REUSED',
      paths: ['id'],
      data: { jobId: first.event.data.jobId },
    });
    expect(shop.outcomesTo(id)).toEqual(['completed', 'rejected']);
  });
});

it('every outcome came to both queues in the form of the contract, and one id never stood for two', async () => {
  expect(await faultsIn(shop)).toEqual([]);
});

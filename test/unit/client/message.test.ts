import { InvalidCallError } from '../../../src/client';
import { prepareEvent, prepareRequest } from '../../../src/client/message';
import { readMessage } from '../../../src/intake/read-message';
import { placedOrder } from '../../support/harness/payloads';

const SOURCE = '/test-service';
const TIME = new Date('2026-01-15T10:00:00Z');
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const problemsOf = (call: () => unknown): { path: string; message: string }[] => {
  try {
    call();
  } catch (error) {
    if (error instanceof InvalidCallError) return error.problems;
    throw error;
  }
  throw new Error('the call was not refused');
};

it('writes a request as the contract has it', () => {
  const message = prepareRequest(
    SOURCE,
    'canary-money',
    { n: 1 },
    {
      id: 'r-1',
      time: TIME,
      correlationId: 'order-1',
      traceparent: TRACEPARENT,
      idempotencyKey: 'k',
      options: { priority: 3 },
    },
  );
  expect(JSON.parse(message.body)).toEqual({
    specversion: '1.0',
    id: 'r-1',
    source: SOURCE,
    type: 'com.tickettoken.job.requested.v1',
    time: '2026-01-15T10:00:00.000Z',
    datacontenttype: 'application/json',
    correlationid: 'order-1',
    traceparent: TRACEPARENT,
    data: {
      queue: 'money',
      type: 'canary-money',
      data: { n: 1 },
      idempotencyKey: 'k',
      options: { priority: 3 },
    },
  });
  expect(message).toMatchObject({
    id: 'r-1',
    exchange: 'jobs.requests',
    routingKey: 'money.canary-money',
    contentType: 'application/cloudevents+json',
    type: 'com.tickettoken.job.requested.v1',
    correlationId: 'order-1',
    headers: { traceparent: TRACEPARENT },
  });
});

it('writes a domain event as the contract has it', () => {
  const data = placedOrder();
  const message = prepareEvent(SOURCE, 'order.placed', data, { id: 'e-1', time: TIME });
  expect(JSON.parse(message.body)).toEqual({
    specversion: '1.0',
    id: 'e-1',
    source: SOURCE,
    type: 'com.tickettoken.order.placed.v1',
    time: '2026-01-15T10:00:00.000Z',
    datacontenttype: 'application/json',
    data,
  });
  expect(message).toMatchObject({ exchange: 'platform.events', routingKey: 'order.placed' });
});

it('makes an id for each message that is given none', () => {
  const one = prepareRequest(SOURCE, 'canary-money', { n: 1 }, {});
  const other = prepareRequest(SOURCE, 'canary-money', { n: 1 }, {});
  expect(one.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  expect(other.id).not.toBe(one.id);
});

it.each([
  ['money', prepareRequest(SOURCE, 'canary-money', { n: 1, note: undefined }, { options: { delay: 5 } })],
  ['money', prepareRequest(SOURCE, 'canary-money', { n: 1 }, { options: { orderingKey: 'order-7' } })],
  ['domain-events', prepareEvent(SOURCE, 'order.placed', placedOrder(), {})],
])('what it lets pass, the intake of %s accepts', (queue, message) => {
  const read = readMessage({
    queue: queue === 'money' ? 'queue-service.requests.money' : 'queue-service.domain-events',
    routingKey: message.routingKey,
    content: Buffer.from(message.body),
    contentType: message.contentType,
    headers: {},
  });
  expect(read).toMatchObject({ offers: [{ request: { source: SOURCE, requestId: message.id } }] });
});

it('refuses an ordering key that the intake would refuse', () => {
  const options = { orderingKey: 'order-7', delay: 1 };
  const paths = (call: () => unknown) => problemsOf(call).map(({ path }) => path);
  expect(paths(() => prepareRequest(SOURCE, 'canary-money', { n: 1 }, { options }))).toEqual(['options.orderingKey']);
  expect(paths(() => prepareRequest(SOURCE, 'canary-background', { n: 1 }, { options }))).toEqual([
    'options.orderingKey',
    'options.orderingKey',
  ]);
});

it('names every problem at once, and no value', () => {
  const problems = problemsOf(() =>
    prepareRequest(
      SOURCE,
      'canary-money',
      { n: 1.5, note: 'secret\u0000' },
      {
        id: '',
        idempotencyKey: 'secret\n',
        traceparent: 'secret',
        time: new Date(Number.NaN),
        options: { priority: 11 },
      },
    ),
  );
  expect(problems.map(({ path }) => path).sort()).toEqual([
    'id',
    'idempotencyKey',
    'options.priority',
    'payload.n',
    'payload.note',
    'time',
    'traceparent',
  ]);
  expect(JSON.stringify(problems)).not.toContain('secret');
});

it('a payload that makes no key needs one of the caller', () => {
  const payout = {
    venueId: '01933f6e-8c1a-7b3e-9d2f-5a6b7c8d9e0f',
    amount: 100,
    accountId: 'acct_venue',
    bankAccountId: 'ba_venue',
    type: 'standard',
  } as const;
  const prepare = (more: object, idempotencyKey?: string) => () =>
    prepareRequest(SOURCE, 'payout-process', { ...payout, ...more }, { idempotencyKey });
  expect(problemsOf(prepare({})).map(({ path }) => path)).toEqual(['idempotencyKey']);
  expect(prepare({ period: '2026-01' })).not.toThrow();
  expect(prepare({}, 'payout-1')).not.toThrow();
});

it.each([
  ['a number that JSON cannot say', { n: Number.NaN }, 'payload.n'],
  ['an integer beyond 2^53', { n: 2 ** 53 }, 'payload.n'],
  ['a lone surrogate', { n: 1, note: '\ud800' }, 'payload.note'],
])('refuses %s', (_what, payload, path) => {
  expect(problemsOf(() => prepareRequest(SOURCE, 'canary-money', payload, {})).map((one) => one.path)).toContain(path);
});

it('refuses what cannot be written as JSON', () => {
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  for (const payload of [circular, { n: 1n }, undefined]) {
    // As a caller without types would call it.
    const call = () => prepareRequest(SOURCE, 'canary-money', payload as never, {});
    expect(problemsOf(call)).toEqual([{ path: 'payload', message: 'cannot be written as JSON' }]);
  }
});

it('refuses a message that is larger than the contract allows, at the byte', () => {
  const bytesWith = (length: number): number =>
    Buffer.byteLength(prepareRequest(SOURCE, 'canary-money', { n: 1, note: 'é'.repeat(length) }, { id: 'r' }).body);
  const room = 1_048_576 - bytesWith(0);
  expect(bytesWith(Math.floor(room / 2))).toBeGreaterThan(1_048_576 - 2);
  const call = (): unknown => bytesWith(Math.floor(room / 2) + 1);
  expect(problemsOf(call)).toMatchObject([{ path: '(body)', message: expect.stringMatching(/more than 1048576$/) }]);
});

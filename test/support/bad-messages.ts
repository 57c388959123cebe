/** Messages that can never be accepted, each with what must be said about it. */
import { randomUUID } from 'node:crypto';
import { EXCHANGES, MAX_BODY_BYTES } from '../../src/contract/names';
import { jobRequestEvent, order, payment } from './harness';

export interface BadMessage {
  exchange: string;
  routingKey: string;
  body: string | Buffer;
  contentType?: string;
  code: string;
  /** Where the problems are, each once. */
  paths: string[];
  /** The routing key of the answer. */
  answer: string;
}

/** Values that stand for personal data: no log line, header or answer may hold any. */
export const PERSONAL = ['ada.lovelace@canary.example', 'Lovelace-Canary', '+442079460001', 'pm_canary_secret'];
const [EMAIL = '', NAME = '', PHONE = '', CARD = ''] = PERSONAL;

const PAYMENT_KEY = 'money.payment-process';
const REJECTED = 'money.payment-process.rejected';
const UNREADABLE = 'money.unknown.rejected';

function request(data: Record<string, unknown>, type = 'payment-process') {
  return { ...jobRequestEvent({ type, data: {} }), data: { type, data: payment(personal), ...data } };
}

const personal = { paymentMethod: CARD, deviceFingerprint: PHONE, metadata: { name: NAME, email: EMAIL } };
const money = { exchange: EXCHANGES.requests, routingKey: PAYMENT_KEY };
const events = { exchange: EXCHANGES.domainEvents, routingKey: 'order.placed' };

function refused(data: Record<string, unknown>, paths: string[], over: Partial<BadMessage> = {}): BadMessage {
  return {
    ...money,
    body: JSON.stringify(request(data)),
    code: 'INVALID_REQUEST',
    paths,
    answer: REJECTED,
    ...over,
  };
}

function unreadable(body: string | Buffer, paths: string[], over: Partial<BadMessage> = {}): BadMessage {
  return { ...money, body, code: 'UNREADABLE', paths, answer: UNREADABLE, ...over };
}

/** A sound request whose text is changed as JSON.stringify would never write it. */
function edited(from: string, to: string): string {
  return JSON.stringify(request({})).replace(from, to);
}

function event(data: unknown, over: Record<string, unknown> = {}): string {
  const type = 'com.tickettoken.order.placed.v1';
  return JSON.stringify({ specversion: '1.0', id: randomUUID(), source: '/orders', type, data, ...over });
}

const invalidUtf8 = Buffer.from(edited(NAME, '#'));
invalidUtf8[invalidUtf8.indexOf('#')] = 0xff;

export const BAD_MESSAGES: Record<string, BadMessage> = {
  'no JSON': unreadable(`{"data": "${EMAIL}`, ['(body)']),
  'nothing at all': unreadable('', ['(body)']),
  'not UTF-8': unreadable(invalidUtf8, ['(body)']),
  'no event': unreadable(JSON.stringify({ email: EMAIL }), ['specversion', 'id', 'source', 'type', 'data']),
  'a list': unreadable(JSON.stringify([EMAIL]), ['(body)']),
  'the wrong content type': unreadable(JSON.stringify(request({})), ['(content-type)'], {
    contentType: 'application/json',
  }),
  'everything wrong with the envelope': unreadable(
    JSON.stringify({ ...request({}), id: 'x'.repeat(300), source: '', time: EMAIL, traceparent: NAME }),
    ['(content-type)', 'id', 'source', 'time', 'traceparent'],
    { contentType: 'text/plain' },
  ),
  'two MiB': unreadable(JSON.stringify(request({ padding: EMAIL.padEnd(2 * MAX_BODY_BYTES) })), ['(body)']),
  'a member named __proto__': unreadable(edited('"data":{"type"', '"__proto__":{"admin":true},"data":{"type"'), [
    '__proto__',
  ]),
  'a NUL character': unreadable(edited(NAME, `${NAME}\\u0000`), ['data.data.metadata.name']),
  'a lone surrogate': unreadable(edited(NAME, `${NAME}\\ud83d`), ['data.data.metadata.name']),
  'a number beyond 2^53': unreadable(edited('10000', '9007199254740993'), ['data.data.amount']),
  'a number beyond a double': unreadable(edited('10000', '1e999'), ['data.data.amount']),
  'nesting without end': unreadable(
    edited(`"${NAME}"`, '['.repeat(100_000) + ']'.repeat(100_000)),
    // The path is cut where it is too long for people.
    [`data.data.metadata.name${'[0]'.repeat(61)}`.slice(0, 200)],
  ),
  'a member name that is cut within a character': unreadable(
    edited(`"name":"${NAME}"`, `"${'n'.repeat(181)}\u{1f600}":"\\u0000"`),
    [`data.data.metadata.${'n'.repeat(180)}n\ufffd`.slice(0, 200)],
  ),
  'another event type': refused({}, ['type'], {
    body: JSON.stringify({ ...request({}), type: 'com.tickettoken.job.asked.v1' }),
  }),
  'no object as data': refused({}, ['data'], {
    body: JSON.stringify({ ...request({}), data: EMAIL }),
    answer: UNREADABLE,
  }),
  'an unknown type': refused({ type: 'mint-money' }, ['data.type'], {
    code: 'UNKNOWN_TYPE',
    answer: 'money.mint-money.rejected',
  }),
  'the wrong queue': refused({ queue: 'background' }, ['data.queue'], { code: 'WRONG_QUEUE' }),
  'the routing key of another type': refused({}, ['(routing key)'], {
    routingKey: 'money.canary-money',
    code: 'WRONG_QUEUE',
  }),
  'the routing key of another queue': refused({}, ['(routing key)'], {
    routingKey: 'communication.payment-process',
    code: 'WRONG_QUEUE',
    answer: 'communication.payment-process.rejected',
  }),
  'a routing key that no queue takes': refused({}, ['(routing key)'], {
    routingKey: 'gold.payment-process',
    code: 'WRONG_QUEUE',
    answer: 'other.payment-process.rejected',
  }),
  'a routing key that no queue takes, and no sense': unreadable('#', ['(body)'], {
    routingKey: 'nobody',
    answer: 'other.unknown.rejected',
  }),
  'errors in every part': refused(
    {
      queue: 'background',
      idempotencyKey: '',
      options: { priority: 99, attempts: 0, delay: -1, timeout: 1, expiresAt: '1969-12-31T23:59:59Z' },
      data: payment({ ...personal, userId: NAME, amount: -1, currency: EMAIL, secret: PHONE }),
    },
    [
      'data.queue',
      'data.idempotencyKey',
      'data.options.priority',
      'data.options.attempts',
      'data.options.delay',
      'data.options.timeout',
      'data.options.expiresAt',
      'data.data',
      'data.data.userId',
      'data.data.amount',
      'data.data.currency',
    ],
    { code: 'WRONG_QUEUE' },
  ),
  'a date that is none': refused({ options: { expiresAt: '2026-02-30T10:00:00Z' } }, ['data.options.expiresAt']),
  'a date beyond the year 9999': refused({ options: { expiresAt: '+012026-01-01T10:00:00Z' } }, [
    'data.options.expiresAt',
  ]),
  'a key longer than 255 bytes': refused({ idempotencyKey: '\u00e9'.repeat(128) }, ['data.idempotencyKey']),
  'an option that this version does not offer': refused({ options: { callbackUrl: 'a' } }, [
    'data.options.callbackUrl',
  ]),
  'thousands of problems': refused(
    { data: payment({ metadata: Object.fromEntries(Array.from({ length: 60_000 }, (_, n) => [`m${n}`, null])) }) },
    [...Array.from({ length: 50 }, (_, n) => `data.data.metadata.m${n}`), '(body)'],
  ),
  'a domain event with errors': refused({}, ['data', 'data.email', 'data.amount', 'data.tickets'], {
    ...events,
    body: event(order({ email: NAME, amount: 1.5, tickets: [], phone: PHONE })),
    answer: 'events.unknown.rejected',
  }),
  'a domain event under the name of another': refused({}, ['type'], {
    ...events,
    body: event(order({ email: EMAIL }), { type: 'com.tickettoken.order.paid.v1' }),
    answer: 'events.unknown.rejected',
  }),
  'a domain event whose payment would be refused': refused({}, ['data.currency'], {
    ...events,
    body: event(order({ email: EMAIL, currency: PHONE })),
    answer: 'events.unknown.rejected',
  }),
  'a job request among the domain events': refused({}, ['type', 'data', ...Object.keys(missing())], {
    ...events,
    answer: 'events.unknown.rejected',
  }),
  'a domain event among the job requests': refused({}, ['type', 'data', 'data.type', 'data.data'], {
    body: event(order({ email: EMAIL })),
    answer: UNREADABLE,
  }),
};

/** What a job request lacks to be an order. */
function missing(): Record<string, unknown> {
  const { provider: _, ...fields } = order({ provider: 'stripe' });
  return Object.fromEntries(Object.keys(fields).map((name) => [`data.${name}`, name]));
}

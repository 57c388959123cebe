import type { CloudEvent } from '../../../src/contract/envelope';
import { JOB_REQUESTED } from '../../../src/contract/names';
import { validateJobRequest } from '../../../src/intake/validate-request';
import { payment } from '../../support/harness/payloads';

const KEY = 'money.payment-process';
const validate = (data: CloudEvent['data'], routingKey: string | undefined = KEY, type: string = JOB_REQUESTED) =>
  validateJobRequest({ specversion: '1.0', id: 'id-1', source: '/shop', type, data: data ?? null }, routingKey);
const job = (over: Record<string, unknown> = {}) => ({ type: 'payment-process', data: payment(), ...over });
const refusal = (validated: ReturnType<typeof validate>) =>
  'request' in validated ? undefined : { code: validated.code, paths: validated.problems.map(({ path }) => path) };

describe('a job request', () => {
  it('that is sound keeps its payload as received, and its own key', () => {
    const { currency: _, ...data } = payment();
    const validated = validate(job({ data, queue: 'money', idempotencyKey: 'k', options: { priority: 3 } }));
    expect(validated).toMatchObject({
      request: { data, idempotencyKey: { callers: true, key: 'k' }, options: { priority: 3 }, source: '/shop' },
    });
  });

  it('without a key gets the default one of its type', () => {
    expect(validate(job())).toMatchObject({ request: { idempotencyKey: { callers: false } } });
  });

  it('needs a key of its own where its payload makes none', () => {
    const payout = { accountId: 'acct_venue', bankAccountId: 'ba_venue', type: 'standard', amount: 100 };
    const asked = (more: object, over = {}) =>
      validate(
        { type: 'payout-process', data: { ...payout, venueId: payment()['venueId'], ...more }, ...over },
        'money.payout-process',
      );
    expect(refusal(asked({}))).toEqual({ code: 'INVALID_REQUEST', paths: ['data.idempotencyKey'] });
    expect(asked({}, { idempotencyKey: 'k' })).toMatchObject({ request: { idempotencyKey: { callers: true } } });
    expect(asked({ requestId: 'r' })).toMatchObject({ request: { idempotencyKey: { callers: false } } });
  });

  it('may come without a routing key', () => {
    expect(refusal(validateJobRequest(sound(), undefined))).toBeUndefined();
  });

  it.each([
    ['another event type', job(), KEY, 'some.event', { code: 'INVALID_REQUEST', paths: ['type'] }],
    ['an unknown type', job({ type: 'mint-money' }), KEY, undefined, { code: 'UNKNOWN_TYPE', paths: ['data.type'] }],
    ['a type with a bad name', job({ type: 'constructor()' }), KEY, undefined, unknownName()],
    ['an inherited name', job({ type: 'constructor' }), KEY, undefined, { code: 'UNKNOWN_TYPE', paths: ['data.type'] }],
    ['the wrong queue', job({ queue: 'background' }), KEY, undefined, { code: 'WRONG_QUEUE', paths: ['data.queue'] }],
    ['the wrong routing key', job(), 'money.canary-money', undefined, misrouted()],
    ['the routing key of another queue', job(), 'background.payment-process', undefined, misrouted()],
    ['no object', 7, KEY, undefined, { code: 'INVALID_REQUEST', paths: ['data'] }],
    ['a list', [], KEY, undefined, { code: 'INVALID_REQUEST', paths: ['data'] }],
    ['an unknown field', job({ admin: true }), KEY, undefined, { code: 'INVALID_REQUEST', paths: ['data'] }],
  ])('with %s is refused', (_, data, routingKey, type, expected) => {
    expect(refusal(validate(data, routingKey, type))).toEqual(expected);
  });

  it.each([
    ['priority', 0],
    ['priority', 11],
    ['priority', 1.5],
    ['delay', -1],
    ['delay', 30 * 86_400_000 + 1],
    ['attempts', 0],
    ['attempts', 11],
    ['timeout', 999],
    ['timeout', 600_001],
    ['expiresAt', '2026-13-01T00:00:00Z'],
    ['expiresAt', 'soon'],
    ['orderingKey', ''],
    ['orderingKey', 'x'.repeat(256)],
    ['orderingKey', 'a\nb'],
    ['callbackUrl', 'https://example.com'],
  ])('with the option %s = %j is refused', (name, value) => {
    const expected = { code: 'INVALID_REQUEST', paths: [`data.options.${name}`] };
    expect(refusal(validate(job({ options: { [name]: value } })))).toEqual(expected);
  });

  it('with an ordering key belongs to the line of its source', () => {
    expect(validate(job({ options: { orderingKey: 'order-7', delay: 0 } }))).toMatchObject({
      request: { orderingKey: { scope: '/shop', key: 'order-7' } },
    });
  });

  it('with an ordering key must be for money, and now; whatever else is wrong with it', () => {
    const options = { orderingKey: 'order-7', delay: 1 };
    expect(refusal(validate(job({ options })))?.paths).toEqual(['data.options.orderingKey']);
    const lower = { type: 'canary-background', data: { n: 'one' }, options };
    expect(refusal(validate(lower, 'background.canary-background'))).toEqual({
      code: 'INVALID_REQUEST',
      paths: ['data.options.orderingKey', 'data.options.orderingKey', 'data.data.n'],
    });
    const unsound = refusal(validate({ ...lower, surplus: true }, 'background.canary-background'));
    expect(unsound?.paths).toEqual(['data', 'data.options.orderingKey', 'data.options.orderingKey', 'data.data.n']);
  });

  it.each(['', 'x'.repeat(256), '\u00e9'.repeat(128), 'a\nb', 'a\u0085b', 7])('with the key %j is refused', (key) => {
    const { code, paths } = refusal(validate(job({ idempotencyKey: key }))) ?? {};
    expect({ code, paths: [...new Set(paths)] }).toEqual({ code: 'INVALID_REQUEST', paths: ['data.idempotencyKey'] });
  });

  it.each(['x'.repeat(255), '\u00e9'.repeat(127), '123', 'a:b:c', '\u{1f600}'])('with the key %j is taken', (key) => {
    expect(validate(job({ idempotencyKey: key }))).toHaveProperty('request');
  });

  it('has every problem listed at once, in the envelope, the options and the payload', () => {
    const bad = job({
      queue: 'background',
      idempotencyKey: '',
      options: { priority: 99, attempts: 0 },
      data: payment({ amount: -1, userId: 'nobody', secret: 1, currency: 'dollars' }),
    });
    const { paths } = refusal(validate(bad, 'money.other', 'x')) ?? {};
    expect(new Set(paths)).toEqual(
      new Set([
        'type',
        'data.queue',
        '(routing key)',
        'data.idempotencyKey',
        'data.options.priority',
        'data.options.attempts',
        'data.data.amount',
        'data.data.userId',
        'data.data.currency',
        'data.data',
      ]),
    );
  });

  it('with thousands of problems has the first ones listed, and the others counted', () => {
    const metadata = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`m${index}`, null]));
    const validated = validate(job({ data: payment({ metadata }) }));
    if ('request' in validated) throw new Error('taken');
    expect(validated.problems).toHaveLength(51);
    expect(validated.problems.at(-1)?.message).toMatch(/more problems/);
  });

  it('has no value of it in what is said about it', () => {
    const canary = 'ada.lovelace@example.com';
    const data = payment({
      userId: canary,
      amount: canary,
      currency: canary,
      metadata: { a: { canary } },
      provider: canary,
    });
    const validated = validate(job({ queue: canary, idempotencyKey: `${canary}\n`, data, options: { delay: canary } }));
    expect(JSON.stringify(validated)).not.toContain('lovelace');
    expect(refusal(validated)?.paths.length).toBeGreaterThan(6);
  });
});

function sound() {
  return { specversion: '1.0' as const, id: 'id-1', source: '/shop', type: JOB_REQUESTED, data: job() };
}

function misrouted() {
  return { code: 'WRONG_QUEUE', paths: ['(routing key)'] };
}

function unknownName() {
  return { code: 'UNKNOWN_TYPE', paths: ['data.type', 'data.type'] };
}

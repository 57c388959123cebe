/** When nobody knows whether a charge happened: the answer is `unknown`, and there is a way to find out. */
import http from 'node:http';
import { createStripeAdapter, type StripeAdapter } from '../../src/providers/stripe/adapter';
import { chargeRequest, effectCall, post, SECRET_KEY, type ChargeCall } from '../support/sandbox/stripe/charging';
import { startStripeSandbox, type StripeSandbox } from '../support/sandbox/stripe/sandbox';

type LateAnswer = Parameters<NonNullable<ChargeCall['onLateAnswer']>>[0];

let sandbox: StripeSandbox;
let stripe: StripeAdapter;

beforeEach(async () => {
  sandbox = await startStripeSandbox();
  stripe = createStripeAdapter({ secretKey: SECRET_KEY, apiBase: sandbox.url });
});
afterEach(() => sandbox.close());

const charge = (key: string, changes: Partial<ChargeCall> = {}) =>
  stripe.charge(chargeRequest(), effectCall(key, changes));
const find = (key: string) => stripe.findCharge(key, effectCall(key));

describe('the same key finds out', () => {
  it('that a charge whose answer was lost had happened, once', async () => {
    sandbox.fault({ kind: 'lose-answer' });

    expect(await charge('key-1')).toMatchObject({ kind: 'unknown', code: 'ECONNRESET' });
    // One call: the SDK's own repetition after a reset is off.
    expect(sandbox.ledger()).toMatchObject([{ idempotencyKey: 'key-1', calls: 1 }]);

    const [charged] = sandbox.ledger();
    expect(await charge('key-1')).toMatchObject({ kind: 'done', reference: charged?.paymentIntentId });
    expect(sandbox.ledger()).toMatchObject([{ idempotencyKey: 'key-1', calls: 2 }]);
  });

  it('also when the connection had served an earlier call', async () => {
    await charge('key-1');
    sandbox.fault({ kind: 'lose-answer' });

    expect(await charge('key-2')).toMatchObject({ kind: 'unknown', code: 'ECONNRESET' });
    expect(sandbox.ledger()).toHaveLength(2);
  });

  it('that a connection broken before the request was read had charged nothing', async () => {
    sandbox.fault({ kind: 'reset-before' });

    expect(await charge('key-1')).toMatchObject({ kind: 'unknown', code: 'ECONNRESET' });
    expect(sandbox.calls()).toBe(1);
    expect(sandbox.ledger()).toEqual([]);
    expect((await charge('key-1')).kind).toBe('done');
    expect(sandbox.ledger()).toHaveLength(1);
  });

  it('after 503, which is not kept under the key', async () => {
    sandbox.fault({ kind: 'unavailable' });
    const answer = await charge('key-1');

    expect(answer).toMatchObject({ kind: 'unknown', code: 'SERVER_ERROR' });
    expect(answer).not.toHaveProperty('replayed');
    expect((await charge('key-1')).kind).toBe('done');
  });

  it('only that an earlier call is under way, until that call ends', async () => {
    const slow = sandbox.fault({ kind: 'slow' });
    const first = charge('key-1');
    await slow.reached;

    expect(await charge('key-1')).toMatchObject({ kind: 'unknown', code: 'KEY_IN_USE' });
    slow.release();
    expect((await first).kind).toBe('done');
    expect(await charge('key-1')).toEqual(await first);
    expect(sandbox.ledger()).toHaveLength(1);
  });
});

describe('a stored 500', () => {
  it.each([
    ['fail-after-effect', 1, 'done'],
    ['fail-before-effect', 0, 'absent'],
  ] as const)('%s: the key repeats it for ever, the search tells the truth', async (kind, charges, truth) => {
    sandbox.fault({ kind });
    const first = await charge('key-1');
    const second = await charge('key-1');

    expect(first).toMatchObject({ kind: 'unknown', code: 'SERVER_ERROR' });
    expect(first).not.toHaveProperty('replayed');
    expect(second).toMatchObject({ kind: 'unknown', code: 'SERVER_ERROR', replayed: true });
    expect(sandbox.ledger()).toHaveLength(charges);
    expect((await find('key-1')).kind).toBe(truth);
  });

  it('does not take the place of a decline, after which there is no effect that it could follow', async () => {
    sandbox.fault({ kind: 'fail-after-effect' });
    const declined = chargeRequest({ paymentMethod: 'pm_card_chargeDeclined' });

    expect(await stripe.charge(declined, effectCall('key-1'))).toMatchObject({ kind: 'declined' });
    expect(sandbox.ledger()).toEqual([]);
  });
});

describe('a caller that stops waiting', () => {
  it.each([
    ['its own', 50, undefined],
    ["the adapter's", 5000, 50],
  ])('at %s time-out gets unknown', async (_, timeoutMs, adapterTimeoutMs) => {
    // Only the time-out's own timer: the connection lives in real time.
    jest.useFakeTimers({ now: Date.now(), doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'performance'] });
    const limits = adapterTimeoutMs === undefined ? {} : { timeoutMs: adapterTimeoutMs };
    const limited = createStripeAdapter({ secretKey: SECRET_KEY, apiBase: sandbox.url, ...limits });
    const hang = sandbox.fault({ kind: 'hang' });
    const answer = limited.charge(chargeRequest(), effectCall('key-1', { timeoutMs }));
    await hang.reached;
    jest.advanceTimersByTime(50);
    jest.useRealTimers();

    expect(await answer).toMatchObject({ kind: 'unknown', code: 'TIMEOUT' });
    expect(sandbox.calls()).toBe(1);
  });

  it('by its signal gets unknown at once, and the real answer when it comes', async () => {
    const slow = sandbox.fault({ kind: 'slow' });
    const stop = new AbortController();
    let answer: Promise<unknown> = Promise.resolve();
    const late = new Promise<LateAnswer>((onLateAnswer) => {
      answer = charge('key-1', { signal: stop.signal, onLateAnswer });
    });
    await slow.reached;
    stop.abort();

    expect(await answer).toMatchObject({ kind: 'unknown', code: 'ABORTED' });
    expect(sandbox.ledger()).toEqual([]);
    slow.release();
    const settled = await late;
    expect(sandbox.ledger()).toHaveLength(1);
    expect(settled).toMatchObject({ kind: 'done', reference: sandbox.ledger()[0]?.paymentIntentId });
  });

  it('before the request has left keeps it from leaving, and hears so', async () => {
    const stop = new AbortController();
    let answer: Promise<unknown> = Promise.resolve();
    const late = new Promise<LateAnswer>((onLateAnswer) => {
      answer = charge('key-1', { signal: stop.signal, onLateAnswer });
    });
    stop.abort();

    expect(await answer).toMatchObject({ kind: 'unknown', code: 'ABORTED' });
    expect(await late).toMatchObject({ kind: 'refused', code: 'ABORTED' });
    expect(sandbox.calls()).toBe(0);
  });

  it('is not told late that nobody knows', async () => {
    const hangs = ['key-1', 'key-2'].map((idempotencyKey) =>
      sandbox.fault({ kind: 'hang', match: { idempotencyKey } }),
    );
    const stop = new AbortController();
    const late: LateAnswer[] = [];
    const first = charge('key-1', { signal: stop.signal, onLateAnswer: (told) => late.push(told) });
    const second = charge('key-2');
    await Promise.all(hangs.map(({ reached }) => reached));
    stop.abort();
    await sandbox.close();

    expect(await first).toMatchObject({ kind: 'unknown', code: 'ABORTED' });
    // Both connections are broken now, and the second call shows what the first would have been told.
    expect(await second).toMatchObject({ kind: 'unknown', code: 'ECONNRESET' });
    expect(late).toEqual([]);
  });

  it('before it has asked is refused', async () => {
    expect(await charge('key-1', { signal: AbortSignal.abort() })).toMatchObject({ kind: 'refused', code: 'ABORTED' });
    expect(await stripe.findCharge('key-1', effectCall('key-1', { signal: AbortSignal.abort() }))).toMatchObject({
      kind: 'unknown',
      code: 'ABORTED',
    });
    expect(sandbox.calls()).toBe(0);
  });
});

describe('the search', () => {
  it('finds a charge whose answer was lost when its key is long forgotten', async () => {
    sandbox.fault({ kind: 'lose-answer' });
    await charge('key-1');
    sandbox.expireKeys();

    const [charged] = sandbox.ledger();
    expect(await find('key-1')).toEqual({
      kind: 'done',
      value: { paymentIntentId: charged?.paymentIntentId, chargeId: charged?.chargeId, amount: 5000, currency: 'usd' },
      reference: charged?.paymentIntentId,
    });
    // What the search is there to prevent: the forgotten key charges again.
    await charge('key-1');
    expect(sandbox.ledger()).toHaveLength(2);
    expect(await find('key-1')).toMatchObject({ reference: charged?.paymentIntentId });
  });

  it('runs behind: absent first, done later', async () => {
    sandbox.pauseIndexing();
    await charge('key-1');

    expect(await find('key-1')).toEqual({ kind: 'absent' });
    sandbox.resumeIndexing();
    expect((await find('key-1')).kind).toBe('done');
  });

  it('is not believed about a PaymentIntent that may have moved on', async () => {
    const created = await post(sandbox.url, '/v1/payment_intents', {
      amount: '5000',
      currency: 'usd',
      payment_method: 'pm_card_visa',
      'metadata[provider_key]': 'key-1',
    });
    const { id } = created.body as { id: string };
    expect(await find('key-1')).toMatchObject({ kind: 'unknown', code: 'UNEXPECTED_STATUS' });

    sandbox.pauseIndexing();
    await post(sandbox.url, `/v1/payment_intents/${id}/confirm`, { return_url: 'https://example.com' });
    expect(await find('key-1')).toMatchObject({ kind: 'done', reference: id });
  });

  it.each([
    ['pm_card_chargeDeclined', { kind: 'absent' }],
    ['pm_card_authenticationRequired', { kind: 'action', code: 'requires_action' }],
  ])('tells of %s what it was', async (paymentMethod, expected) => {
    await stripe.charge(chargeRequest({ paymentMethod }), effectCall('key-1'));

    expect(await find('key-1')).toMatchObject(expected);
  });

  it('takes keys to the letter, with quotes and backslashes, in capitals or not', async () => {
    await charge("job's \\ key");
    await charge('KEY-2');

    expect((await find("job's \\ key")).kind).toBe('done');
    expect(await find('key-2')).toEqual({ kind: 'absent' });
    expect(await find("x' OR metadata['job_id']:'job-1")).toEqual({ kind: 'absent' });
  });

  it('that fails is unknown, never absent', async () => {
    sandbox.fault({ kind: 'unavailable' });
    expect(await find('key-1')).toMatchObject({ kind: 'unknown', code: 'SERVER_ERROR' });
    sandbox.fault({ kind: 'rate-limit' });
    expect(await find('key-1')).toMatchObject({ kind: 'unknown', code: 'RATE_LIMITED' });
  });
});

/** Says that all went well, were it not for the status it comes with. */
const succeeded = {
  id: 'pi_1',
  object: 'payment_intent',
  status: 'succeeded',
  amount_received: 5000,
  currency: 'usd',
  created: 1,
  latest_charge: 'ch_1',
  metadata: {},
};

describe('an answer that is none', () => {
  it.each([
    [200, '{"object":"charge","id":"ch_1"}'],
    [200, '{"object":"payment_intent","id":"pi_1","status":"succeeded"}'],
    [200, '"ok"'],
    [200, 'null'],
    [200, '[]'],
    [200, ''],
    [200, '<html>maintenance</html>'],
    // The SDK alone would call these two a success.
    [404, '{"detail":"Not found"}'],
    [503, '{}'],
    [503, JSON.stringify(succeeded)],
  ])('status %i with %s is unknown', async (status, body) => {
    const server = http.createServer((_, response) => response.writeHead(status).end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const other = createStripeAdapter({ secretKey: SECRET_KEY, apiBase: `http://127.0.0.1:${port}` });

    const expected = { kind: 'unknown', code: 'UNREADABLE_ANSWER' };
    expect(await other.charge(chargeRequest(), effectCall('key-1'))).toMatchObject(expected);
    expect(await other.findCharge('key-1', effectCall('key-1'))).toMatchObject(expected);
    server.close();
    server.closeAllConnections();
  });

  it('breaks off in the middle', async () => {
    const server = http.createServer((request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"object":"payment_intent"', () => request.socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const other = createStripeAdapter({ secretKey: SECRET_KEY, apiBase: `http://127.0.0.1:${port}` });

    expect(await other.charge(chargeRequest(), effectCall('key-1'))).toMatchObject({
      kind: 'unknown',
      code: 'ECONNRESET',
    });
    server.close();
  });
});

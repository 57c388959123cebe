/** POST /jobs: every answer that the contract names. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { addressOf, ApiClient } from '../../support/api-client';
import { eventually, openHarness, payment, type Harness } from '../../support/harness';
import { TokenIssuer } from '../../support/tokens';

let harness: Harness;
let api: ApiClient;
const issuer = new TokenIssuer();
const userId = randomUUID();
const user = () => issuer.token('user', { id: userId });
const service = () => issuer.token('service', { id: 'payment-service' });

beforeAll(async () => {
  harness = await openHarness();
  api = new ApiClient(addressOf(await harness.startService({}, undefined, { JWT_PUBLIC_KEY: issuer.publicKey })));
});
afterAll(() => harness?.close());

const canary = (over: Record<string, unknown> = {}) => ({
  type: 'canary-money',
  data: { n: 1, note: randomUUID() },
  ...over,
});
const own = (over: Record<string, unknown> = {}) => ({ type: 'payment-process', data: payment({ userId, ...over }) });
const refusal = (code: string, details: unknown = expect.any(Array)) => ({
  error: expect.any(String),
  code,
  requestId: expect.any(String),
  details,
});

describe('a sound request', () => {
  it('is answered with 201 and what the job will get, runs, and its outcome goes out', async () => {
    const { status, body, headers } = await api.post('/jobs', {
      token: service(),
      json: { ...canary(), queue: 'money', options: { priority: 3, attempts: 4 } },
    });

    expect(status).toBe(201);
    expect(body).toEqual({
      jobId: expect.any(String),
      queue: 'money',
      type: 'canary-money',
      status: 'queued',
      options: { priority: 3, delay: 0, attempts: 4, timeout: 10_000 },
    });
    const { jobId } = body as { jobId: string };
    expect(headers.get('location')).toBe(`/api/v1/queue/jobs/${jobId}`);
    const outcome = await eventually('its outcome', () =>
      harness.bus.outcomes.find(({ subject }) => subject === jobId),
    );
    expect(outcome.data).toMatchObject({ outcome: 'completed', jobId });
  });

  it("carries the caller's trace and request id to its outcome", async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const { body } = await api.post('/jobs', {
      token: service(),
      json: canary(),
      headers: { traceparent, 'X-Request-ID': 'call-17' },
    });
    const { jobId } = body as { jobId: string };
    const { rows } = await harness.environment.pool.query(
      'SELECT traceparent, correlation_id, request_source FROM critical_jobs WHERE id = $1',
      [jobId],
    );
    expect(rows).toEqual([{ traceparent, correlation_id: 'call-17', request_source: '/http/service/payment-service' }]);
    const outcome = await eventually('its outcome', () =>
      harness.bus.outcomes.find(({ subject }) => subject === jobId),
    );
    expect(outcome.data.correlationId).toBe('call-17');
  });

  it('is not spoilt by a malformed traceparent', async () => {
    const headers = { traceparent: 'nonsense' };
    expect((await api.post('/jobs', { token: service(), json: canary(), headers })).status).toBe(201);
  });
});

describe('asked for again', () => {
  it('is answered with 200, "duplicate" and the id of the first job', async () => {
    const json = { ...canary(), idempotencyKey: randomUUID() };
    const first = await api.post('/jobs', { token: service(), json });
    const second = await api.post('/jobs', { token: service(), json });

    expect(second.status).toBe(200);
    expect(second.body).toMatchObject({
      status: 'duplicate',
      jobId: (first.body as { jobId: string }).jobId,
      queue: 'money',
      type: 'canary-money',
    });
  });

  it('is a duplicate also by the default key of its type', async () => {
    const json = own();
    expect((await api.post('/jobs', { token: user(), json })).status).toBe(201);
    expect((await api.post('/jobs', { token: user(), json })).status).toBe(200);
  });

  it('with another payload, is answered with 409', async () => {
    const idempotencyKey = randomUUID();
    await api.post('/jobs', { token: service(), json: { ...canary(), idempotencyKey } });
    const { status, body } = await api.post('/jobs', { token: service(), json: { ...canary(), idempotencyKey } });
    expect(status).toBe(409);
    expect(body).toEqual(refusal('IDEMPOTENCY_CONFLICT', [{ path: 'idempotencyKey', message: expect.any(String) }]));
  });

  it('by somebody else, under the same key, is a request of its own', async () => {
    const json = { ...canary(), idempotencyKey: randomUUID() };
    expect((await api.post('/jobs', { token: service(), json })).status).toBe(201);
    const other = issuer.token('service', { id: 'order-service' });
    expect((await api.post('/jobs', { token: other, json })).status).toBe(201);
  });

  it('many times at once, becomes one job: one 201, and 200 for the others', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 6 }), async (count) => {
        const json = { ...canary(), idempotencyKey: randomUUID() };
        const answers = await Promise.all(
          Array.from({ length: count }, () => api.post('/jobs', { token: service(), json })),
        );
        const statuses = answers.map(({ status }) => status).toSorted((one, other) => one - other);
        expect(statuses).toEqual([...Array.from({ length: count - 1 }, () => 200), 201]);
        expect(new Set(answers.map(({ body }) => (body as { jobId: string }).jobId)).size).toBe(1);
      }),
      { numRuns: 10 },
    );
  });

  it('takes the key from the Idempotency-Key header as from the body', async () => {
    const key = randomUUID();
    const json = canary();
    const byHeader = await api.post('/jobs', { token: service(), json, headers: { 'Idempotency-Key': key } });
    expect(byHeader.status).toBe(201);
    const byBody = await api.post('/jobs', { token: service(), json: { ...json, idempotencyKey: key } });
    expect(byBody.status).toBe(200);
    const headers = { 'Idempotency-Key': randomUUID() };
    const both = await api.post('/jobs', { token: service(), json: { ...json, idempotencyKey: key }, headers });
    expect(both.status).toBe(400);
    expect(both.body).toEqual(refusal('INVALID_REQUEST', [{ path: '(Idempotency-Key)', message: expect.any(String) }]));
  });
});

describe('an unsound request is refused with', () => {
  const post = (json: unknown) => api.post('/jobs', { token: service(), json });

  it('400 and every problem that it has', async () => {
    const { status, body } = await post({
      type: 'payment-process',
      data: { userId: 'me', amount: -5, surprise: true },
      options: { priority: 11, delay: -1 },
      extra: 1,
    });
    expect(status).toBe(400);
    expect(body).toEqual(refusal('INVALID_REQUEST'));
    const paths = (body as { details: { path: string }[] }).details.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        'options.priority',
        'options.delay',
        '(body)',
        'data.userId',
        'data.amount',
        'data.venueId',
      ]),
    );
  });

  it.each([
    ['an unknown type', { type: 'make-coffee', data: {} }, 'UNKNOWN_TYPE', 'type'],
    ['a type of another queue', { queue: 'background', type: 'canary-money', data: { n: 1 } }, 'WRONG_QUEUE', 'queue'],
    ['no type', { data: {} }, 'INVALID_REQUEST', 'type'],
    ['a payload that is no object', { type: 'canary-money', data: [1] }, 'INVALID_REQUEST', 'data'],
    ['a list', [], 'INVALID_REQUEST', '(body)'],
    ['null', null, 'INVALID_REQUEST', '(body)'],
    ['an empty key', { type: 'canary-money', data: { n: 1 }, idempotencyKey: '' }, 'INVALID_REQUEST', 'idempotencyKey'],
    ['a NUL', { type: 'canary-money', data: { n: 1, note: 'a\u0000b' } }, 'UNREADABLE', 'data.note'],
    [
      'what is not offered',
      { type: 'canary-money', data: { n: 1 }, options: { callbackUrl: 'https://a' } },
      'INVALID_REQUEST',
      'options.callbackUrl',
    ],
  ])('400 for %s', async (_, json, code, path) => {
    const { status, body } = await post(json);
    expect({ status, body }).toEqual({ status: 400, body: refusal(code) });
    expect((body as { details: { path: string }[] }).details.map((problem) => problem.path)).toContain(path);
  });

  it.each([
    ['text that is not JSON', '{"type":'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['nothing', ''],
    ['a number that JSON readers change', '{"type":"canary-money","data":{"n":9007199254740993}}'],
    ['a __proto__', '{"type":"canary-money","data":{"n":1,"__proto__":{}}}'],
    ['deep nesting', `{"type":"canary-money","data":{"n":${'['.repeat(100)}${']'.repeat(100)}}}`],
  ])('400 for %s', async (_, raw) => {
    const { status, body } = await api.post('/jobs', { token: service(), raw });
    expect({ status, body }).toEqual({ status: 400, body: refusal('UNREADABLE') });
  });

  it('413 for more than 1 MiB', async () => {
    const raw = JSON.stringify(canary({ data: { n: 1, note: 'x'.repeat(1_048_576) } }));
    const { status, body } = await api.post('/jobs', { token: service(), raw });
    expect({ status, body }).toEqual({ status: 413, body: refusal('BODY_TOO_LARGE') });
  });

  it('not for exactly 1 MiB', async () => {
    const empty = JSON.stringify(canary({ data: { n: 1, note: '' } })).length;
    const raw = JSON.stringify(canary({ data: { n: 1, note: 'x'.repeat(1_048_576 - empty) } }));
    expect((await api.post('/jobs', { token: service(), raw })).status).toBe(201);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx'])('415 for %s', async (type) => {
    const call = { token: service(), raw: JSON.stringify(canary()), headers: { 'content-type': type } };
    const { status, body } = await api.post('/jobs', call);
    expect({ status, body }).toEqual({ status: 415, body: refusal('UNSUPPORTED_MEDIA_TYPE') });
  });

  it('415 for a compressed body, of which nobody knows how large it is', async () => {
    const call = { token: service(), raw: JSON.stringify(canary()), headers: { 'content-encoding': 'gzip' } };
    expect((await api.post('/jobs', call)).status).toBe(415);
  });

  it('no dead letter, and nothing is published; it is counted', async () => {
    const { pool } = harness.environment;
    const conflict = { ...canary(), idempotencyKey: randomUUID() };
    await post(conflict);
    await post({ ...conflict, data: { n: 2 } });
    await post({ type: 'make-coffee', data: {} });

    const letters = await pool.query('SELECT FROM dead_letter_jobs');
    const rejected = await pool.query(`SELECT FROM outbox_events WHERE routing_key LIKE '%.rejected'`);
    expect({ letters: letters.rowCount, rejected: rejected.rowCount }).toEqual({ letters: 0, rejected: 0 });
    const { body } = await api.get('/metrics/prometheus', { token: issuer.token('monitoring') });
    expect(body).toMatch(/^http_refusals_total\{code="IDEMPOTENCY_CONFLICT"\} [1-9]/m);
    expect(body).toMatch(/^http_refusals_total\{code="UNKNOWN_TYPE"\} [1-9]/m);
    expect(body).not.toMatch(/^dead_letters_total\{/m);
  });
});

describe('who may ask for what', () => {
  it('a user may ask for its own payment', async () => {
    expect((await api.post('/jobs', { token: user(), json: own() })).status).toBe(201);
  });

  it("the user's id is filled in where the request leaves it out, and so is the provider", async () => {
    const { userId: _, ...data } = payment();
    const { status, body } = await api.post('/jobs', { token: user(), json: { type: 'payment-process', data } });
    expect(status).toBe(201);
    const { rows } = await harness.environment.pool.query('SELECT data FROM critical_jobs WHERE id = $1', [
      (body as { jobId: string }).jobId,
    ]);
    expect(rows).toEqual([{ data: { ...data, userId, provider: 'stripe' } }]);
  });

  it.each([
    ['of somebody else', { userId: randomUUID() }],
    ['of nobody', { userId: null }],
  ])('a user may not ask for a payment %s', async (_, over) => {
    const { status, body } = await api.post('/jobs', { token: user(), json: own(over) });
    expect({ status, body }).toEqual({
      status: 403,
      body: refusal('NOT_YOURS', [{ path: 'data.userId', message: expect.any(String) }]),
    });
  });

  it.each([
    ['user', 'canary-money'],
    ['venue_admin', 'canary-money'],
    ['venue_admin', 'payment-process'],
  ] as const)('a %s may not ask for %s, whatever else is wrong', async (role, type) => {
    const { status, body } = await api.post('/jobs', { token: issuer.token(role), json: { type, data: { n: 'x' } } });
    expect({ status, body }).toEqual({ status: 403, body: refusal('TYPE_NOT_ALLOWED') });
  });

  it('a service may ask in the name of any user', async () => {
    expect((await api.post('/jobs', { token: service(), json: { ...own(), data: payment() } })).status).toBe(201);
  });
});

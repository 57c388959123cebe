/** GET /jobs/:id: what is told of a job, and whom. */
import { randomUUID } from 'node:crypto';
import { addressOf, ApiClient } from '../../support/api-client';
import { eventually, openHarness, payment, type Harness } from '../../support/harness';
import { TokenIssuer } from '../../support/tokens';

let harness: Harness;
let api: ApiClient;
const issuer = new TokenIssuer();
const shop = () => issuer.token('service', { id: 'payment-service' });

beforeAll(async () => {
  harness = await openHarness();
  // A payment that hangs is handed back soon.
  const variables = { JWT_PUBLIC_KEY: issuer.publicKey, SHUTDOWN_TIMEOUT_MS: '5000' };
  api = new ApiClient(addressOf(await harness.startService({}, undefined, variables)));
});
afterAll(() => harness?.close());

async function submit(json: unknown): Promise<string> {
  const { body } = await api.post('/jobs', { token: shop(), json });
  return (body as { jobId: string }).jobId;
}

async function finished(id: string): Promise<unknown> {
  await eventually('its outcome', () => harness.bus.outcomes.find(({ subject }) => subject === id));
  return (await api.get(`/jobs/${id}`, { token: shop() })).body;
}

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe('what is told', () => {
  it('of a job that completed: its payload, its result and its times', async () => {
    const data = payment();
    const id = await submit({ type: 'payment-process', data, idempotencyKey: randomUUID() });
    expect(await finished(id)).toEqual({
      id,
      queue: 'money-queue',
      type: 'payment-process',
      data: { ...data, provider: 'stripe' },
      state: 'completed',
      progress: 100,
      attempts: 1,
      maxAttempts: 10,
      generation: 1,
      idempotencyKey: expect.any(String),
      correlationId: null,
      result: expect.objectContaining({ transactionId: id, status: 'completed' }),
      error: null,
      createdAt: TIME,
      runAt: TIME,
      processedAt: TIME,
      finishedAt: TIME,
    });
  });

  it('of a job that failed: why', async () => {
    const data = payment({ paymentMethod: 'pm_card_chargeDeclined' });
    const id = await submit({ type: 'payment-process', data });
    expect(await finished(id)).toMatchObject({
      state: 'failed',
      progress: 0,
      result: null,
      error: { code: expect.any(String), message: expect.any(String) },
    });
  });

  it('of a job for later: that it is delayed', async () => {
    const id = await submit({ type: 'canary-money', data: { n: 1 }, options: { delay: 3_600_000 } });
    const { body } = await api.get(`/jobs/${id}?queue=money`, { token: shop() });
    expect(body).toMatchObject({ state: 'delayed', attempts: 0, processedAt: null, finishedAt: null });
  });

  it('of a job that runs: that it is active', async () => {
    const hang = harness.stripe.fault({ kind: 'hang' });
    const id = await submit({ type: 'payment-process', data: payment() });
    await hang.reached;
    expect((await api.get(`/jobs/${id}`, { token: shop() })).body).toMatchObject({ state: 'active', finishedAt: null });
    harness.stripe.clearFaults();
  });
});

describe('whom', () => {
  const userId = randomUUID();
  const venueId = randomUUID();
  let id: string;
  beforeAll(async () => {
    id = await submit({ type: 'payment-process', data: payment({ userId, venueId }) });
  });

  it.each([
    ['the user whom it concerns', () => issuer.token('user', { id: userId })],
    ['an admin of its venue', () => issuer.token('venue_admin', { venues: [randomUUID(), venueId] })],
    ['the service that asked for it', shop],
    ['an admin', () => issuer.token('admin')],
  ])('%s', async (_, token) => {
    expect((await api.get(`/jobs/${id}`, { token: token() })).status).toBe(200);
  });

  it.each([
    ['another user', () => issuer.token('user', { id: randomUUID() })],
    ['an admin of another venue', () => issuer.token('venue_admin', { venues: [randomUUID()] })],
    ['an admin of no venue', () => issuer.token('venue_admin', { id: userId })],
    ['another service', () => issuer.token('service', { id: 'order-service' })],
    ['a user with the name of the service', () => issuer.token('user', { id: 'payment-service' })],
  ])('not %s: the answer is the same as for a job that does not exist', async (_, token) => {
    const there = await api.get(`/jobs/${id}`, { token: token() });
    const nowhere = await api.get(`/jobs/${randomUUID()}`, { token: token() });
    const plain = ({ body }: { body: unknown }) => ({ ...(body as object), requestId: '' });
    expect(there.status).toBe(404);
    expect(plain(there)).toEqual(plain(nowhere));
    expect(nowhere.status).toBe(404);
  });
});

it.each([
  ['an id that is none', '/jobs/12345', 404],
  ['an id with a malformed escape', '/jobs/%zz', 400],
  ['a queue that there is not', `/jobs/${randomUUID()}?queue=gold`, 400],
  ['two queues', `/jobs/${randomUUID()}?queue=money&queue=money`, 400],
])('%s is refused', async (_, path, status) => {
  expect((await api.get(path, { token: issuer.token('admin') })).status).toBe(status);
});

it('a job is not found in a queue that it is not in', async () => {
  const id = await submit({ type: 'canary-money', data: { n: 1 } });
  expect((await api.get(`/jobs/${id}?queue=background`, { token: shop() })).status).toBe(404);
});

/** What probes are told, server by server. */
import { addressOf, ApiClient } from '../../support/api-client';
import { eventually, openHarness, type Harness } from '../../support/harness';
import { TcpProxy } from '../../support/tcp-proxy';
import { TokenIssuer } from '../../support/tokens';

let harness: Harness;
const issuer = new TokenIssuer();
const lines: TcpProxy[] = [];

beforeAll(async () => {
  harness = await openHarness();
});
afterEach(async () => {
  for (const line of lines) {
    line.resume();
    line.unblock();
  }
});
afterAll(async () => {
  await harness?.close();
  await Promise.all(lines.map((line) => line.close()));
});

async function behindLine(name: string, roles: string): Promise<{ line: TcpProxy; api: ApiClient }> {
  const url = harness.environment.variables[name] ?? '';
  const line = await TcpProxy.open(url);
  lines.push(line);
  const variables = { ROLES: roles, JWT_PUBLIC_KEY: issuer.publicKey, [name]: line.through(url) };
  return { line, api: new ApiClient(addressOf(await harness.startService({}, undefined, variables))) };
}

const statusOf = async (api: ApiClient, path: string): Promise<number> => (await api.get(path)).status;
const details = async (api: ApiClient) => (await api.get('/health/details', { token: issuer.token('admin') })).body;

it('all is well: every level says so', async () => {
  const service = await harness.startService({}, undefined, { JWT_PUBLIC_KEY: issuer.publicKey });
  const api = new ApiClient(addressOf(service));
  const timestamp = expect.any(String);
  expect((await api.get('/health/live')).body).toEqual({ status: 'alive', timestamp });
  expect((await api.get('/health/ready')).body).toEqual({ status: 'ready', timestamp });
  const { status, body } = await api.get('/health');
  expect({ status, body }).toEqual({
    status: 200,
    body: {
      status: 'healthy',
      checks: { service: 'healthy', database: 'healthy', redis: 'healthy', queues: 'healthy', broker: 'healthy' },
      timestamp,
    },
  });
  expect(await details(api)).toMatchObject({
    status: 'healthy',
    service: 'queue-service',
    roles: ['api', 'consumer', 'worker', 'relay', 'scheduler'],
    phase: 'running',
    intakeBlockedBy: null,
    checks: [
      { name: 'database', of: 'database', status: 'healthy' },
      { name: 'money redis', of: 'redis', status: 'healthy' },
      { name: 'communication redis', of: 'redis', status: 'healthy' },
      { name: 'background redis', of: 'redis', status: 'healthy' },
      { name: 'relay connection', of: 'broker', status: 'healthy' },
      { name: 'intake connection', of: 'broker', status: 'healthy' },
    ],
  });
});

describe.each([
  ['DATABASE_URL', 'api', 'database'],
  ['REDIS_MONEY_URL', 'worker', 'redis'],
  ['REDIS_BACKGROUND_URL', 'scheduler', 'redis'],
  ['AMQP_URL', 'relay', 'broker'],
  ['AMQP_URL', 'consumer', 'broker'],
])('%s away, the role %s', (name, role, part) => {
  it('is not ready, says what is the matter, lives all the while, and is ready again afterwards', async () => {
    const { line, api } = await behindLine(name, role);
    await eventually('it is ready', async () => (await statusOf(api, '/health/ready')) === 200);
    line.block();

    await eventually('it is not ready', async () => (await statusOf(api, '/health/ready')) === 503);
    const { status, body } = await api.get('/health');
    expect(status).toBe(503);
    expect(body).toMatchObject({ status: 'degraded', checks: { service: 'healthy', [part]: 'unhealthy' } });
    expect(await details(api)).toMatchObject({
      checks: expect.arrayContaining([
        { name: expect.any(String), of: part, status: 'unhealthy', error: expect.any(String) },
      ]),
    });
    expect(await statusOf(api, '/health/live')).toBe(200);
    line.unblock();
    await eventually('it is ready again', async () => (await statusOf(api, '/health/ready')) === 200);
  });
});

it('a database that does not answer: liveness and readiness do', async () => {
  const { line, api } = await behindLine('DATABASE_URL', 'api');
  line.silence();
  expect(await statusOf(api, '/health/live')).toBe(200);
  await eventually('it is not ready', async () => (await statusOf(api, '/health/ready')) === 503);
});

it('the money Redis away: the role api is ready, since money is taken all the same', async () => {
  const { line, api } = await behindLine('REDIS_MONEY_URL', 'api');
  line.block();
  expect(await statusOf(api, '/health/ready')).toBe(200);
});

it('a Redis that may evict money: the queues are unhealthy, and the reason is told', async () => {
  const service = await harness.startService({}, undefined, { JWT_PUBLIC_KEY: issuer.publicKey, ROLES: 'api' });
  const api = new ApiClient(addressOf(service));
  const { redis } = harness.environment;
  try {
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    service.checkProofs();
    await eventually('it is noticed', async () => (await statusOf(api, '/health')) === 503);
    expect((await api.get('/health')).body).toMatchObject({ checks: { queues: 'unhealthy', redis: 'healthy' } });
    expect(await details(api)).toMatchObject({ intakeBlockedBy: expect.stringContaining('maxmemory-policy') });
    const { status, body, headers } = await api.post('/jobs', {
      token: issuer.token('service'),
      json: { type: 'canary-money', data: { n: 1 } },
    });
    expect({ status, body }).toMatchObject({ status: 503, body: { code: 'QUEUE_UNAVAILABLE' } });
    expect(headers.get('retry-after')).toBe('2');
  } finally {
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
  }
});

/** Every route that the router has, for everybody who may come along. A route without a row here fails the first test. */
import { randomUUID } from 'node:crypto';
import { WEBHOOK_PROVIDERS } from '../../../src/contract/http';
import type { Role } from '../../../src/contract/principals';
import { ROLES } from '../../../src/contract/principals';
import type { Service } from '../../../src/service';
import { addressOf, ApiClient, type ApiCall } from '../../support/api-client';
import { openHarness, type Harness } from '../../support/harness';
import { TokenIssuer } from '../../support/tokens';

const METRICS_TOKEN = 'a-token-for-scrapers';

interface Expected {
  route: string;
  path: string;
  call: ApiCall;
  /** undefined: no token is needed. */
  roles: readonly Role[] | undefined;
}

/** Calls that are refused for nothing but their token: behind the door they find nothing, or are unsound. */
const EXPECTED: Expected[] = [
  { route: 'GET /api/v1/queue/health', path: '/health', call: {}, roles: undefined },
  { route: 'GET /api/v1/queue/health/live', path: '/health/live', call: {}, roles: undefined },
  { route: 'GET /api/v1/queue/health/ready', path: '/health/ready', call: {}, roles: undefined },
  { route: 'GET /api/v1/queue/health/details', path: '/health/details', call: {}, roles: ['monitoring', 'admin'] },
  {
    route: 'GET /api/v1/queue/metrics/prometheus',
    path: '/metrics/prometheus',
    call: {},
    roles: ['monitoring', 'admin'],
  },
  {
    route: 'POST /api/v1/queue/jobs',
    path: '/jobs',
    call: { json: {} },
    roles: ['user', 'venue_admin', 'service', 'admin'],
  },
  {
    route: 'GET /api/v1/queue/jobs/:id',
    path: `/jobs/${randomUUID()}`,
    call: {},
    roles: ['user', 'venue_admin', 'service', 'admin'],
  },
  {
    route: 'POST /api/v1/queue/users/:id/devices',
    path: `/users/${randomUUID()}/devices`,
    call: { json: {} },
    roles: ['user', 'service', 'admin'],
  },
  {
    route: 'GET /api/v1/queue/users/:id/devices',
    path: `/users/${randomUUID()}/devices`,
    call: {},
    roles: ['user', 'service', 'admin'],
  },
  {
    route: 'DELETE /api/v1/queue/users/:id/devices/:deviceId',
    path: `/users/${randomUUID()}/devices/${randomUUID()}`,
    call: {},
    roles: ['user', 'service', 'admin'],
  },
  {
    route: 'GET /api/v1/queue/jobs/:id/timeline',
    path: `/jobs/${randomUUID()}/timeline`,
    call: {},
    roles: ['user', 'venue_admin', 'service', 'admin'],
  },
  ...(
    [
      ['POST', '', { json: {} }],
      ['GET', '', {}],
      ['DELETE', '/:id', {}],
      ['POST', '/:id/secret', {}],
      ['GET', '/:id/deliveries', {}],
    ] as const
  ).map(([method, rest, call]): Expected => ({
    route: `${method} /api/v1/queue/webhook-subscriptions${rest}`,
    path: `/webhook-subscriptions${rest.replace(':id', randomUUID())}`,
    call,
    roles: ['service', 'admin'],
  })),
];
/** Whose requests are signed: see test/integration/webhooks. */
const SIGNED = WEBHOOK_PROVIDERS.map((provider) => `POST /api/v1/queue/provider-webhooks/${provider}`);
const closed = EXPECTED.flatMap(({ roles, ...rest }) => (roles ? [{ ...rest, roles }] : []));

let harness: Harness;
let service: Service;
let api: ApiClient;
const issuer = new TokenIssuer();
const stranger = new TokenIssuer();

beforeAll(async () => {
  harness = await openHarness();
  service = await harness.startService({}, undefined, {
    JWT_PUBLIC_KEY: issuer.publicKey,
    JWT_ISSUER: 'https://id.example',
    JWT_AUDIENCE: 'queue-service',
    METRICS_TOKEN,
    WEBHOOK_SIGNING_SECRET: 'a secret that is only good for tests, at least 32 characters',
  });
  api = new ApiClient(addressOf(service));
});
afterAll(() => harness?.close());

const GOOD = { iss: 'https://id.example', aud: 'queue-service' };
const good = (role: Role, over: Record<string, unknown> = {}) => issuer.token(role, { ...GOOD, ...over });
const call = ({ route, path, call }: Pick<Expected, 'route' | 'path' | 'call'>, over: ApiCall = {}) =>
  api.call(route.split(' ')[0] ?? '', path, { ...call, ...over });

it('each route that the router has is decided upon here', () => {
  const routes = service.http.routes.map(({ method, path }) => `${method} ${path}`);
  expect(routes.toSorted()).toEqual([...EXPECTED.map(({ route }) => route), ...SIGNED].toSorted());
});

it.each(EXPECTED.filter(({ roles }) => !roles))('$route is for everybody', async (expected) => {
  expect((await call(expected)).status).toBe(200);
});

describe.each(closed)('$route', (expected) => {
  const past = () => Math.floor(Date.now() / 1_000) - 3_600;
  const refusedTokens: [string, ApiCall, string][] = [
    ['no token', {}, 'UNAUTHENTICATED'],
    ['garbage', { token: 'garbage' }, 'UNAUTHENTICATED'],
    ['garbage in three parts', { token: 'eyJ9.e30.x' }, 'UNAUTHENTICATED'],
    ['another scheme', { headers: { authorization: 'Basic YTpi' } }, 'UNAUTHENTICATED'],
    ['a token that has expired', { token: good('admin', { exp: past() }) }, 'TOKEN_EXPIRED'],
    ['a token for ever', { token: good('admin', { exp: undefined }) }, 'UNAUTHENTICATED'],
    ['a token for later', { token: good('admin', { nbf: past() + 7_200 }) }, 'UNAUTHENTICATED'],
    ['a token of another key', { token: stranger.token('admin', GOOD) }, 'UNAUTHENTICATED'],
    ['HS256 with the public key', { token: issuer.tokenByPublicKey('admin', GOOD) }, 'UNAUTHENTICATED'],
    ['no signature', { token: issuer.tokenUnsigned('admin', GOOD) }, 'UNAUTHENTICATED'],
    ['RS512', { token: issuer.token('admin', GOOD, { algorithm: 'RS512' }) }, 'UNAUTHENTICATED'],
    ['another issuer', { token: good('admin', { iss: 'https://evil.example' }) }, 'UNAUTHENTICATED'],
    ['another audience', { token: good('admin', { aud: 'order-service' }) }, 'UNAUTHENTICATED'],
    ['an unknown role', { token: good('admin', { role: 'root' }) }, 'UNAUTHENTICATED'],
    ['nobody', { token: good('admin', { id: undefined }) }, 'UNAUTHENTICATED'],
    ['an id with spaces', { token: good('admin', { id: 'a b' }) }, 'UNAUTHENTICATED'],
  ];

  it.each(refusedTokens)('%s: 401', async (_, over, code) => {
    const { status, body, headers } = await call(expected, over);
    expect({ status, body }).toMatchObject({ status: 401, body: { code } });
    expect(headers.get('www-authenticate')).toBe('Bearer');
  });

  it.each(ROLES)('%s', async (role) => {
    const { status, body } = await call(expected, { token: good(role) });
    if (!expected.roles.includes(role))
      expect({ status, body }).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    else expect([200, 400, 404]).toContain(status);
  });

  it('takes the subject for the id where that is missing', async () => {
    const token = good(expected.roles[0] ?? 'admin', { id: undefined, sub: 'somebody' });
    expect([200, 400, 404]).toContain((await call(expected, { token })).status);
  });
});

describe('the fixed token of scrapers', () => {
  const token = METRICS_TOKEN;

  it('opens the metrics', async () => {
    const { status, headers, body } = await api.get('/metrics/prometheus', { token });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/plain;.*version=0\.0\.4/);
    expect(body).toMatch(/^process_cpu_user_seconds_total /m);
  });

  it.each(closed.filter(({ path }) => !path.startsWith('/metrics')))('does not open $route', async (expected) => {
    expect((await call(expected, { token })).status).toBe(401);
  });

  it.each([token.slice(1), `${token}x`, token.toUpperCase()])('is not %s', async (token) => {
    expect((await api.get('/metrics/prometheus', { token })).status).toBe(401);
  });
});

describe('without any key', () => {
  it('health and metrics stay; whatever needs a token of its own is refused with 503', async () => {
    const keyless = await harness.startService({}, undefined, { ROLES: 'api', METRICS_TOKEN: 'scraper' });
    const api = new ApiClient(addressOf(keyless));
    expect((await api.get('/health/live')).status).toBe(200);
    expect((await api.get('/metrics/prometheus', { token: 'scraper' })).status).toBe(200);
    expect((await api.get('/metrics/prometheus', { token: 'other' })).status).toBe(401);
    for (const path of ['/health/details', `/jobs/${randomUUID()}`]) {
      const { status, body } = await api.get(path, { token: good('admin') });
      expect({ status, body }).toMatchObject({ status: 503, body: { code: 'AUTHENTICATION_UNAVAILABLE' } });
    }
    const { status, headers } = await api.post('/jobs', { token: good('service'), json: {} });
    expect({ status, retryAfter: headers.get('retry-after') }).toEqual({ status: 503, retryAfter: '2' });
  });
});

it('without the role api, there are health and metrics, and no jobs', async () => {
  const relay = await harness.startService({}, undefined, { ROLES: 'relay', JWT_PUBLIC_KEY: issuer.publicKey });
  const api = new ApiClient(addressOf(relay));
  expect((await api.get('/health/ready')).status).toBe(200);
  expect((await api.get('/metrics/prometheus', { token: issuer.token('monitoring') })).status).toBe(200);
  const { status, body } = await api.post('/jobs', { token: issuer.token('service'), json: {} });
  expect({ status, body }).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
});

/** A user's devices by HTTP: what is taken, what is told, and whom. */
import { randomUUID } from 'node:crypto';
import { addressOf, ApiClient } from '../../support/api-client';
import { openHarness, type Harness } from '../../support/harness';
import { phone } from '../../support/notifications';
import { TokenIssuer } from '../../support/tokens';

let harness: Harness;
let api: ApiClient;
const issuer = new TokenIssuer();
const me: string = randomUUID();
const mine = () => issuer.token('user', { id: me });
const path = (user: string = me) => `/users/${user}/devices`;

beforeAll(async () => {
  harness = await openHarness();
  api = new ApiClient(addressOf(await harness.startService({}, undefined, { JWT_PUBLIC_KEY: issuer.publicKey })));
});
beforeEach(() => harness.environment.pool.query('TRUNCATE device_tokens'));
afterAll(() => harness?.close());

async function register(json: unknown, user: string = me): Promise<{ status: number; body: unknown }> {
  const { status, body } = await api.post(path(user), { token: issuer.token('user', { id: user }), json });
  return { status, body };
}

const browser = (over: Record<string, unknown> = {}) => ({
  platform: 'web-push',
  subscription: {
    endpoint: `https://push.example.com/${randomUUID()}`,
    keys: { p256dh: Buffer.alloc(65, 4).toString('base64url'), auth: Buffer.alloc(16, 7).toString('base64url') },
    expirationTime: null,
    ...over,
  },
});

it('a device that is registered again keeps its id', async () => {
  const device = phone();
  const first = await register(device);
  expect(first).toEqual({ status: 201, body: { deviceId: expect.any(String), platform: 'android' } });
  expect(await register(device)).toEqual({ status: 200, body: first.body });
});

it('apps and browsers are told, without what they are reached by', async () => {
  const device = phone('a-secret-token');
  await register(device);
  await register(browser());

  const { body } = await api.get(path(), { token: mine() });
  const known = { deviceId: expect.any(String), createdAt: expect.any(String), lastSeenAt: expect.any(String) };
  expect(body).toEqual({
    devices: [
      { ...known, platform: 'web-push' },
      { ...known, platform: 'android' },
    ],
  });
  expect(JSON.stringify(body)).not.toMatch(/a-secret-token|push\.example/);
});

it('a device that another user registers is no longer the first one’s', async () => {
  const device = phone();
  const other = randomUUID();
  await register(device);
  await register(device, other);

  expect((await api.get(path(), { token: mine() })).body).toEqual({ devices: [] });
  const theirs = await api.get(path(other), { token: issuer.token('service', {}) });
  expect(theirs.body).toMatchObject({ devices: [{ platform: 'android' }] });
});

it('of more than twenty, those that were not seen for longest are forgotten', async () => {
  const first = phone();
  await register(first);
  for (let number = 1; number < 20; number += 1) await register(phone());
  await register(first);
  const { body } = await register(phone());

  const { rows } = await harness.environment.pool.query('SELECT id, token FROM device_tokens');
  expect(rows).toHaveLength(20);
  expect(rows).toContainEqual(expect.objectContaining({ token: 'token' in first ? first.token : '' }));
  expect(rows).toContainEqual(expect.objectContaining({ id: (body as { deviceId: string }).deviceId }));
});

it('a device is removed once, and by nobody else', async () => {
  const { body } = await register(phone());
  const { deviceId } = body as { deviceId: string };
  const remove = (user: string) =>
    api.call('DELETE', `${path(user)}/${deviceId}`, { token: issuer.token('service', {}) });

  expect((await remove(randomUUID())).status).toBe(404);
  expect((await remove(me)).status).toBe(204);
  expect((await remove(me)).status).toBe(404);
});

it.each([
  ['registers', 'POST', ''],
  ['lists', 'GET', ''],
  ['removes', 'DELETE', `/${randomUUID()}`],
])('nobody %s the devices of another user', async (_, method, rest) => {
  const call = { token: mine(), ...(method === 'POST' ? { json: phone() } : {}) };
  expect(await api.call(method, `${path(randomUUID())}${rest}`, call)).toMatchObject({
    status: 404,
    body: { code: 'NOT_FOUND' },
  });
});

it.each<[string, unknown, string]>([
  ['an unknown platform', { platform: 'pager', token: 'x' }, 'platform'],
  ['no token', { platform: 'ios' }, 'token'],
  ['a token with blanks', { platform: 'ios', token: 'a b' }, 'token'],
  ['an endpoint without TLS', browser({ endpoint: 'http://push.example.com/1' }), 'subscription.endpoint'],
  ['keys of another length', browser({ keys: { p256dh: 'AAAA', auth: 'AAAA' } }), 'subscription.keys.p256dh'],
])('is refused: %s', async (_, json, place) => {
  const answer = await register(json);
  expect(answer).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
  expect(JSON.stringify(answer.body)).toContain(place);
});

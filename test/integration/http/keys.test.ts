/** Keys from a JWKS endpoint: rotated, away, and hostile. */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import type { Config } from '../../../src/config';
import { addressOf, ApiClient } from '../../support/api-client';
import { eventually, openHarness, type Harness } from '../../support/harness';
import { startServer, type Handled, type RunningServer } from '../../support/sandbox/http';
import { TokenIssuer } from '../../support/tokens';

const OLD = new TokenIssuer('old');
const NEW = new TokenIssuer('new');

let harness: Harness;
let endpoint: RunningServer;
let answer: Handled;
let fetches: number;

const keySet = (...keys: unknown[]): Handled => ({ status: 200, body: { keys } });

beforeAll(async () => {
  harness = await openHarness();
  endpoint = await startServer(async () => {
    fetches += 1;
    return answer;
  }, {});
});
beforeEach(() => {
  fetches = 0;
  answer = keySet(OLD.jwk());
});
afterAll(async () => {
  await harness?.close();
  await endpoint?.close();
});

type KeySetTimes = Config['http']['tokens']['keySet'];

async function start(times: Partial<KeySetTimes> = {}) {
  const tune = (config: Config): Config => {
    const { tokens } = config.http;
    return { ...config, http: { ...config.http, tokens: { ...tokens, keySet: { ...tokens.keySet, ...times } } } };
  };
  const service = await harness.startService({}, tune, { ROLES: 'api', JWKS_URL: `${endpoint.url}/jwks.json` });
  const api = new ApiClient(addressOf(service));
  return async (token: string) => {
    const { status, body } = await api.get(`/jobs/${randomUUID()}`, { token });
    const { code } = body as { code: string };
    return `${status} ${code}`;
  };
}
/** Behind the door there is no such job. */
const LET_IN = '404 NOT_FOUND';

it('a token of a key that the endpoint lists is good; the keys are fetched once for many tokens', async () => {
  const ask = await start();
  const answers = await Promise.all(Array.from({ length: 5 }, () => ask(OLD.token('admin'))));
  expect(new Set(answers)).toEqual(new Set([LET_IN]));
  expect(fetches).toBe(1);
});

it('a token that names no key is good where there is one key only', async () => {
  const ask = await start();
  expect(await ask(OLD.token('admin', {}, { keyid: '' }))).toBe('401 UNAUTHENTICATED');
  expect(await ask(OLD.tokenWithoutKeyId('admin'))).toBe(LET_IN);
  answer = keySet(OLD.jwk(), NEW.jwk());
  const askTwo = await start();
  expect(await askTwo(OLD.tokenWithoutKeyId('admin'))).toBe('401 UNAUTHENTICATED');
});

it('a key that is new is fetched when a token names it, and unknown ones cause no more fetches than that', async () => {
  const ask = await start({ intervalMs: 0 });
  answer = keySet(OLD.jwk(), NEW.jwk());
  expect(await ask(NEW.token('admin'))).toBe(LET_IN);
  expect(fetches).toBe(2);

  fetches = 0;
  const patient = await start({ intervalMs: 600_000 });
  for (const keyid of ['made', 'up', 'ids']) {
    expect(await patient(OLD.token('admin', {}, { keyid }))).toBe('401 UNAUTHENTICATED');
  }
  expect(fetches).toBe(1);
});

it('a key that is no longer listed is forgotten when the keys have become old', async () => {
  const ask = await start({ intervalMs: 0, maxAgeMs: 0 });
  answer = keySet(NEW.jwk());
  await eventually('it is forgotten', async () => (await ask(OLD.token('admin'))) === '401 UNAUTHENTICATED');
});

it.each<[string, Handled]>([
  ['away', 'reset'],
  ['broken', { status: 500, body: {} }],
  ['answering with something else', { status: 200, body: { hello: 'world' } }],
  ['answering with no key', keySet()],
  ['sending elsewhere', { status: 302, body: {}, headers: { location: 'http://127.0.0.1:1/' } }],
  ['silent', 'hang'],
])('while the endpoint is %s, known keys stay good, and nobody can tell about others', async (_, failure) => {
  const ask = await start({ intervalMs: 0, maxAgeMs: 0, retryMs: 0, timeoutMs: 300 });
  answer = failure;
  expect(await ask(NEW.token('admin'))).toBe('503 AUTHENTICATION_UNAVAILABLE');
  expect(await ask(OLD.token('admin'))).toBe(LET_IN);
  answer = keySet(OLD.jwk(), NEW.jwk());
  // A fetch that is still under way fails first.
  await eventually('the new key is known', async () => (await ask(NEW.token('admin'))) === LET_IN);
});

it('an endpoint that is away at the start keeps nobody from starting; tokens are good as soon as it is back', async () => {
  answer = 'reset';
  const ask = await start({ retryMs: 0 });
  expect(await ask(OLD.token('admin'))).toBe('503 AUTHENTICATION_UNAVAILABLE');
  answer = keySet(OLD.jwk());
  expect(await ask(OLD.token('admin'))).toBe(LET_IN);
});

it('keys for other purposes, of other kinds and weak ones are passed over', async () => {
  const kid = 'odd';
  const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey.export({ format: 'jwk' });
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  const odd = new TokenIssuer(kid);
  answer = keySet(
    { ...weak, kid },
    { ...curve, kid },
    { ...odd.jwk(), use: 'enc' },
    { ...odd.jwk(), alg: 'RS512' },
    { kty: 'RSA', kid, n: 'AQAB' },
    { kty: 'RSA', kid, n: '***', e: '***' },
    { kty: 'oct', kid, k: 'c2VjcmV0' },
    'not even an object',
    OLD.jwk(),
  );
  const ask = await start();
  expect(await ask(odd.token('admin'))).toBe('401 UNAUTHENTICATED');
  expect(await ask(OLD.token('admin'))).toBe(LET_IN);
});

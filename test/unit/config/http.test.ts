import { generateKeyPairSync } from 'node:crypto';
import { ConfigError, loadConfig } from '../../../src/config';

const SOUND = {
  DATABASE_URL: 'postgres://db/queue',
  REDIS_HOST: 'redis',
  AMQP_URL: 'amqp://broker',
  IDEMPOTENCY_KEY_SECRET: 'x'.repeat(32),
  STRIPE_SECRET_KEY: 'sk_test',
};
const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength });
const pem = (key: { export: (options: { type: 'spki'; format: 'pem' }) => string | Buffer }): string =>
  key.export({ type: 'spki', format: 'pem' }).toString();

function refused(variables: Record<string, string>): string {
  try {
    loadConfig({ ...SOUND, ...variables });
    return '';
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

it('without a word: port 3020, and no key', () => {
  const { http } = loadConfig(SOUND);
  expect(http).toMatchObject({ port: 3020, metricsToken: undefined });
  expect(http.tokens).toMatchObject({ publicKey: undefined, jwksUrl: undefined });
});

it('a key in PEM is taken, also with \\n for its line ends', () => {
  const key = pem(rsa(2_048).publicKey);
  for (const text of [key, key.replaceAll('\n', String.raw`\n`)]) {
    const { publicKey } = loadConfig({ ...SOUND, JWT_PUBLIC_KEY: text }).http.tokens;
    expect(publicKey && pem(publicKey)).toBe(key);
  }
});

it.each([
  ['a weak key', pem(rsa(1_024).publicKey), 'at least 2048 bits, has 1024'],
  ['a key of a curve', pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey), 'must be an RSA key'],
  ['a key for RSA-PSS', pem(generateKeyPairSync('rsa-pss', { modulusLength: 2_048 }).publicKey), 'must be an RSA key'],
  ['a private key', rsa(2_048).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'is a private key'],
  ['a secret', 'a shared secret', 'is not a public key in PEM'],
])('%s is refused, and not quoted', (_, JWT_PUBLIC_KEY, problem) => {
  const message = refused({ JWT_PUBLIC_KEY });
  expect(message).toContain(`JWT_PUBLIC_KEY: ${problem.startsWith('at') ? 'must have ' : ''}${problem}`);
  expect(message).not.toContain(JWT_PUBLIC_KEY.slice(-40));
});

it.each([
  ['https://id.example/jwks.json', true],
  ['http://127.0.0.1:9999/jwks.json', true],
  ['http://[::1]:9999/jwks.json', true],
  ['http://localhost/jwks.json', true],
  ['http://id.example/jwks.json', false],
  ['http://127.0.0.1.evil.example/jwks.json', false],
  ['http://localhost@evil.example/jwks.json', false],
  ['ftp://localhost/jwks.json', false],
])('JWKS_URL %s: %p', (JWKS_URL, accepted) => {
  expect(refused({ JWKS_URL }).includes('JWKS_URL')).toBe(!accepted);
});

it('every problem is listed at once', () => {
  const message = refused({
    PORT: '70000',
    JWT_PUBLIC_KEY: 'nonsense',
    JWKS_URL: 'http://id.example',
    METRICS_TOKEN: 'two words',
    JWT_SECRET: 'shared',
  });
  for (const name of ['PORT', 'JWT_PUBLIC_KEY', 'JWKS_URL', 'METRICS_TOKEN', 'JWT_SECRET']) {
    expect(message).toMatch(new RegExp(`^ +${name}\\b`, 'm'));
  }
  expect(message).toContain('JWT_PUBLIC_KEY and JWKS_URL exclude each other');
});

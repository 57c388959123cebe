import { loadConfig } from '../../../src/config';
import { EventKey } from '../../support/sandbox/sendgrid/events';
import { TokenIssuer } from '../../support/tokens';

const least = {
  DATABASE_URL: 'postgres://localhost/queue',
  AMQP_URL: 'amqp://localhost',
  REDIS_HOST: 'localhost',
  IDEMPOTENCY_KEY_SECRET: '0123456789abcdef0123456789abcdef',
  STRIPE_SECRET_KEY: 'sk_test_local',
};
const webhooks = (over: Record<string, string>) => loadConfig({ ...least, ...over }).webhooks;
const { publicKey } = new EventKey();

it('nobody is taken at the word whose secret is not known', () => {
  expect(webhooks({})).toEqual({ stripeSecrets: undefined, sendgridKey: undefined, twilio: undefined });
  expect(webhooks({ PUBLIC_URL: 'https://queue.example.com' }).twilio).toBeUndefined();
  expect(webhooks({ TWILIO_AUTH_TOKEN: 'token' }).twilio).toBeUndefined();
  expect(webhooks({ STRIPE_SECRET_KEY: '', STRIPE_WEBHOOK_SECRET: 'whsec_1' }).stripeSecrets).toBeUndefined();
});

it('Stripe has as many secrets as it has endpoints', () => {
  expect(webhooks({ STRIPE_WEBHOOK_SECRET: 'whsec_1, whsec_2' }).stripeSecrets).toEqual(['whsec_1', 'whsec_2']);
});

it.each([
  ['as SendGrid shows it', publicKey],
  ['as PEM', `-----BEGIN PUBLIC KEY-----\n${publicKey}\n-----END PUBLIC KEY-----\n`],
])("SendGrid's key is taken %s", (_, text) => {
  expect(webhooks({ SENDGRID_WEBHOOK_PUBLIC_KEY: text }).sendgridKey).toMatchObject({ asymmetricKeyType: 'ec' });
});

it('a path before the API belongs to the public address, and a slash at its end does not', () => {
  const over = { PUBLIC_URL: 'https://example.com/jobs/', TWILIO_AUTH_TOKEN: 'token' };
  expect(webhooks(over).twilio).toEqual({ authToken: 'token', publicUrl: 'https://example.com/jobs' });
});

it.each([
  ['STRIPE_WEBHOOK_SECRET', 'sk_test_local'],
  ['STRIPE_WEBHOOK_SECRET', 'whsec_1,'],
  ['SENDGRID_WEBHOOK_PUBLIC_KEY', 'no key'],
  ['SENDGRID_WEBHOOK_PUBLIC_KEY', new TokenIssuer().publicKey],
  ['PUBLIC_URL', 'queue.example.com'],
  ['PUBLIC_URL', 'ftp://queue.example.com'],
])('%s must be what it is said to be, and not %s', (name, value) => {
  expect(() => webhooks({ [name]: value })).toThrow(new RegExp(`${name}(\\.\\d)?: `));
});

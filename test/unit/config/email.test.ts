import { ConfigError, loadConfig } from '../../../src/config';

const ENVIRONMENT = {
  DATABASE_URL: 'postgres://db.example.com/queue',
  REDIS_HOST: 'redis.example.com',
  AMQP_URL: 'amqp://broker.example.com',
  IDEMPOTENCY_KEY_SECRET: 'a secret that is only good for tests, at least 32 characters',
  STRIPE_SECRET_KEY: 'sk_test_local',
};
const emailOf = (variables: Record<string, string>) => loadConfig({ ...ENVIRONMENT, ...variables }).email;
const KEY = { SENDGRID_API_KEY: 'SG.key' };

describe('mails', () => {
  it('are not sent where SendGrid has no key', () => {
    expect(emailOf({})).toBeUndefined();
    expect(emailOf({ EMAIL_FROM: 'tickets@example.com' })).toBeUndefined();
  });

  it.each([
    ['tickets@example.com', { email: 'tickets@example.com' }],
    ['<tickets@example.com>', { email: 'tickets@example.com' }],
    ['Our Tickets <tickets@example.com>', { email: 'tickets@example.com', name: 'Our Tickets' }],
  ])('are from %s', (EMAIL_FROM, from) => {
    expect(emailOf({ ...KEY, EMAIL_FROM })).toMatchObject({ apiKey: 'SG.key', from });
  });

  it.each<[Record<string, string>, RegExp]>([
    [KEY, /EMAIL_FROM must be set with SENDGRID_API_KEY/],
    [{ ...KEY, EMAIL_FROM: 'Our Tickets' }, /EMAIL_FROM\.email: must be an address/],
    [{ ...KEY, EMAIL_FROM: 'Our Tickets <tickets>' }, /EMAIL_FROM\.email: must be an address/],
    [{ SENDGRID_API_KEY: 'key', EMAIL_FROM: 'a@example.com' }, /SENDGRID_API_KEY: must begin with SG\./],
  ])('%j cannot be used', (variables, problem) => {
    expect(() => emailOf(variables)).toThrow(ConfigError);
    expect(() => emailOf(variables)).toThrow(problem);
  });
});

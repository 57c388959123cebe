import { ConfigError, loadConfig } from '../../../src/config';

const ENVIRONMENT = {
  DATABASE_URL: 'postgres://db.example.com/queue',
  REDIS_HOST: 'redis.example.com',
  AMQP_URL: 'amqp://broker.example.com',
  IDEMPOTENCY_KEY_SECRET: 'a secret that is only good for tests, at least 32 characters',
  STRIPE_SECRET_KEY: 'sk_test_local',
};
const smsOf = (variables: Record<string, string>) => loadConfig({ ...ENVIRONMENT, ...variables }).sms;
const ACCOUNT = { TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`, TWILIO_AUTH_TOKEN: 't', TWILIO_PHONE: '+15005550006' };

describe('text messages', () => {
  it('are not sent where Twilio has no account', () => {
    expect(smsOf({})).toBeUndefined();
    expect(smsOf({ TWILIO_PHONE: '+15005550006' })).toBeUndefined();
  });

  it('are sent from the number that is configured', () => {
    expect(smsOf(ACCOUNT)).toMatchObject({
      accountSid: ACCOUNT.TWILIO_ACCOUNT_SID,
      authToken: 't',
      from: '+15005550006',
    });
  });

  it.each<[Record<string, string>, RegExp]>([
    [{ ...ACCOUNT, TWILIO_AUTH_TOKEN: '' }, /TWILIO_AUTH_TOKEN must be set with TWILIO_ACCOUNT_SID/],
    [{ ...ACCOUNT, TWILIO_PHONE: '' }, /TWILIO_PHONE must be set with TWILIO_ACCOUNT_SID/],
    [{ ...ACCOUNT, TWILIO_PHONE: '555' }, /TWILIO_PHONE: must be a number in E\.164/],
    [{ ...ACCOUNT, TWILIO_ACCOUNT_SID: 'SK1' }, /TWILIO_ACCOUNT_SID: must be AC and 32/],
  ])('%j cannot be used', (variables, problem) => {
    expect(() => smsOf(variables)).toThrow(ConfigError);
    expect(() => smsOf(variables)).toThrow(problem);
  });
});

import { ConfigError, loadConfig } from '../../../src/config';
import { account } from '../../support/sandbox/fcm/account';
import { certificate } from '../../support/sandbox/http';

const ENVIRONMENT = {
  DATABASE_URL: 'postgres://db.example.com/queue',
  REDIS_HOST: 'redis.example.com',
  AMQP_URL: 'amqp://broker.example.com',
  IDEMPOTENCY_KEY_SECRET: 'a secret that is only good for tests, at least 32 characters',
  STRIPE_SECRET_KEY: 'sk_test_local',
};
const configOf = (variables: Record<string, string>) => loadConfig({ ...ENVIRONMENT, ...variables });
const { token_uri: _, ...withoutTokenUri } = account;
const VAPID = {
  VAPID_PUBLIC_KEY: Buffer.alloc(65, 4).toString('base64url'),
  VAPID_PRIVATE_KEY: Buffer.alloc(32, 1).toString('base64url'),
  VAPID_SUBJECT: 'mailto:tickets@example.com',
};

describe('notifications', () => {
  it('are not sent where neither way is configured', () => {
    expect(configOf({}).push).toBeUndefined();
  });

  it('are sent by FCM with a service account, whose tokens Google gives out', () => {
    const { push } = configOf({ FCM_SERVICE_ACCOUNT: JSON.stringify(withoutTokenUri) });
    expect(push).toMatchObject({
      fcm: { account: { projectId: account.project_id, tokenUri: 'https://oauth2.googleapis.com/token' } },
      vapid: undefined,
    });
  });

  it('are sent to browsers alone with keys of our own', () => {
    expect(configOf(VAPID).push).toMatchObject({ fcm: undefined, vapid: { subject: VAPID.VAPID_SUBJECT } });
  });

  it.each<[Record<string, string>, RegExp]>([
    [{ ...VAPID, VAPID_PRIVATE_KEY: '' }, /VAPID_PRIVATE_KEY must be set with VAPID_PUBLIC_KEY/],
    [{ ...VAPID, VAPID_SUBJECT: '' }, /VAPID_SUBJECT must be set with VAPID_PUBLIC_KEY/],
    [{ ...VAPID, VAPID_SUBJECT: 'http://a.example' }, /VAPID_SUBJECT: must be a URL of mailto or https/],
    [{ ...VAPID, VAPID_PUBLIC_KEY: 'abc' }, /VAPID_PUBLIC_KEY: must be 65 bytes in base64url/],
    [{ FCM_SERVICE_ACCOUNT: 'account.json' }, /FCM_SERVICE_ACCOUNT: is no service account, see: JSON/],
    [
      { FCM_SERVICE_ACCOUNT: JSON.stringify({ ...account, private_key: 'x', client_email: '' }) },
      /FCM_SERVICE_ACCOUNT: is no service account, see: client_email, private_key/,
    ],
  ])('%j cannot be used', (variables, problem) => {
    expect(() => configOf(variables)).toThrow(ConfigError);
    expect(() => configOf(variables)).toThrow(problem);
  });

  it('a key that cannot be used is not repeated', () => {
    const broken = JSON.stringify({ ...account, client_email: '' });
    expect(() => configOf({ FCM_SERVICE_ACCOUNT: broken })).not.toThrow('PRIVATE');
  });
});

describe('addresses that others name', () => {
  it('lead nowhere inside, unless networks are named', () => {
    expect(configOf({}).outbound).toEqual({ allowed: [], ca: undefined });
    expect(configOf({ OUTBOUND_ALLOW: '10.1.0.0/16, fd00::/8', OUTBOUND_CA: certificate }).outbound).toMatchObject({
      allowed: { length: 2 },
      ca: certificate,
    });
  });

  it.each([
    [{ OUTBOUND_ALLOW: '10.1.0.0' }, /OUTBOUND_ALLOW: must be a comma list of networks/],
    [{ OUTBOUND_CA: 'ca.pem' }, /OUTBOUND_CA: must be certificates in PEM/],
  ])('%j cannot be used', (variables, problem) => {
    expect(() => configOf(variables)).toThrow(problem);
  });
});

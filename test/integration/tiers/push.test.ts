import webPush from 'web-push';
import type { Service } from '../../../src/service';
import { counterOf } from '../../support/counters';
import { killedBetween } from '../../support/crash-between';
import { eventually, openHarness, type Harness } from '../../support/harness';
import { quick } from '../../support/money';
import { notification, phone, userWith } from '../../support/notifications';
import { startFcmSandbox, type FcmSandbox } from '../../support/sandbox/fcm/sandbox';
import { fcmVariables } from '../../support/sandbox/fcm/sending';
import { certificate } from '../../support/sandbox/http';
import { startWebPushSandbox, type WebPushSandbox } from '../../support/sandbox/web-push/sandbox';

const vapid = webPush.generateVAPIDKeys();
let harness: Harness;
let fcm: FcmSandbox;
let browsers: WebPushSandbox;
let variables: Record<string, string>;

beforeEach(async () => {
  [fcm, browsers, harness] = await Promise.all([
    startFcmSandbox({ tls: true }),
    startWebPushSandbox(vapid.publicKey),
    openHarness(),
  ]);
  variables = {
    ...fcmVariables(fcm.url),
    VAPID_PUBLIC_KEY: vapid.publicKey,
    VAPID_PRIVATE_KEY: vapid.privateKey,
    VAPID_SUBJECT: 'mailto:tickets@example.com',
    OUTBOUND_ALLOW: '127.0.0.0/8',
    OUTBOUND_CA: certificate,
  };
});
afterEach(async () => {
  await harness?.close();
  await Promise.all([fcm?.close(), browsers?.close()]);
});

const start = (over: Record<string, string> = {}): Promise<Service> =>
  harness.startService({}, quick, { ...variables, ...over });
const owner = (devices: Parameters<typeof userWith>[1]) =>
  userWith(harness.environment.variables['DATABASE_URL'] ?? '', devices);
/** A call is over before anybody tries again: no test waits longer than that. */
const request = (data: Record<string, unknown>): Promise<string> =>
  harness.bus.request({ type: 'send-push', data, options: { timeout: 3_000, attempts: 2 } });
const tokens = () => fcm.ledger().map(({ token }) => token);
const devicesLeft = async () => (await harness.environment.pool.query('SELECT 1 FROM device_tokens')).rowCount;

it('a request reaches every device of the user, and nobody else; the same within the hour is not sent again', async () => {
  await start();
  const { browser, subscription } = browsers.subscribe();
  const userId = await owner([phone('one'), phone('two'), { platform: 'web-push', subscription }]);
  await owner([phone('of-somebody-else')]);
  const data = notification({ userId, data: { eventId: 'e-1', seats: 2, vip: true } });
  const { data: outcome } = await harness.bus.outcomeOf(await request(data), 'completed');

  expect(outcome).toMatchObject({
    queue: 'communication',
    attempts: 1,
    result: { delivered: 3, dropped: 0, failed: 0 },
  });
  const shown = { title: data['title'], body: data['body'], data: { eventId: 'e-1', seats: '2', vip: 'true' } };
  expect(fcm.ledger().toSorted((one, other) => one.token.localeCompare(other.token))).toMatchObject([
    { token: 'one', ...shown, tag: outcome.jobId },
    { token: 'two', ...shown, tag: outcome.jobId },
  ]);
  expect(browsers.ledger()).toMatchObject([{ browser, content: shown }]);
  expect((await harness.bus.outcomeOf(await request(data), 'duplicate')).data.jobId).toBe(outcome.jobId);
  expect(fcm.ledger()).toHaveLength(2);
});

it('devices that are gone are forgotten, and one that is left is enough', async () => {
  await start();
  const { browser, subscription } = browsers.subscribe();
  browsers.unsubscribe(browser);
  const userId = await owner([phone('gone-1'), { platform: 'web-push', subscription }, phone('left')]);
  const { data: outcome } = await harness.bus.outcomeOf(await request(notification({ userId })), 'completed');

  expect(outcome.result).toMatchObject({ delivered: 1, dropped: 2, failed: 0 });
  expect([tokens(), await devicesLeft()]).toEqual([['left'], 1]);
});

it.each([
  ['nobody has registered one', []],
  ['all are gone', [phone('gone-1')]],
])('without a device it fails at once: %s', async (_, devices) => {
  await start();
  const userId = await owner(devices);
  const { data: outcome } = await harness.bus.outcomeOf(await request(notification({ userId })), 'failed');

  expect(outcome).toMatchObject({ attempts: 1, error: { code: 'NO_DEVICE', replayable: false } });
  expect(await devicesLeft()).toBe(0);
});

it('a device that this deployment has no keys for is none', async () => {
  await start({ VAPID_PUBLIC_KEY: '', VAPID_PRIVATE_KEY: '', VAPID_SUBJECT: '' });
  const userId = await owner([{ platform: 'web-push', subscription: browsers.subscribe().subscription }]);
  const { data: outcome } = await harness.bus.outcomeOf(await request(notification({ userId })), 'failed');

  expect([outcome.error?.code, await devicesLeft()]).toEqual(['NO_DEVICE', 1]);
});

it('what FCM refuses fails, and what is said does not repeat it', async () => {
  await start();
  const userId = await owner([phone('no token')]);
  const { data: outcome } = await harness.bus.outcomeOf(await request(notification({ userId })), 'failed');

  expect(outcome).toMatchObject({ attempts: 1, error: { code: 'PUSH_REFUSED', replayable: false } });
  expect(JSON.stringify(outcome.error)).not.toMatch(/no token|Doors/);
});

describe('when the answer for one device is lost', () => {
  it('it alone is asked for again, and replaces what it may have', async () => {
    const service = await start();
    const userId = await owner([phone('one'), phone('two'), phone('three')]);
    fcm.fault({ kind: 'lose-answer', match: { metadata: { token: 'two' } } });
    const { data: outcome } = await harness.bus.outcomeOf(await request(notification({ userId })), 'completed');

    expect(outcome).toMatchObject({ attempts: 2, result: { delivered: 3, failed: 0 } });
    expect(tokens().toSorted()).toEqual(['one', 'three', 'two', 'two']);
    expect(new Set(fcm.ledger().map(({ tag }) => tag)).size).toBe(1);
    expect(await counterOf(service, 'effects_repeated_total')).toBe(1);
  });

  it('and of all further ones too, the job is done for the others', async () => {
    await start();
    const userId = await owner([phone('one'), phone('two')]);
    fcm.fault({ kind: 'unavailable', match: { metadata: { token: 'two' } }, times: 2 });
    const { data: outcome } = await harness.bus.outcomeOf(await request(notification({ userId })), 'completed');

    expect(outcome).toMatchObject({ attempts: 2, result: { delivered: 1, dropped: 0, failed: 1 } });
    expect(tokens()).toEqual(['one']);
  });

  it('and no other device has it, the job fails at its last attempt', async () => {
    await start();
    const userId = await owner([phone('one')]);
    fcm.fault({ kind: 'unavailable', match: { metadata: { token: 'one' } }, times: 2 });
    const { data: outcome } = await harness.bus.outcomeOf(await request(notification({ userId })), 'failed');

    expect(outcome).toMatchObject({ attempts: 2, error: { code: 'HTTP_503' } });
  });
});

it('a message that the rate limit held back is sent once, and is no repeat', async () => {
  const service = await start();
  const userId = await owner([phone('one')]);
  fcm.fault({ kind: 'rate-limit', retryAfterSeconds: 1, match: { metadata: { token: 'one' } } });
  const { data: outcome } = await harness.bus.outcomeOf(await request(notification({ userId })), 'completed');

  expect([outcome.attempts, tokens()]).toEqual([1, ['one']]);
  expect(await counterOf(service, 'effects_repeated_total')).toBe(0);
});

it('without keys no notification is taken, and the reason is told', async () => {
  await harness.startService({}, quick);
  const { data: outcome } = await harness.bus.outcomeOf(await request(notification()), 'rejected');

  expect(outcome.error).toMatchObject({ code: 'TYPE_UNAVAILABLE' });
  expect(JSON.stringify(outcome.error?.details)).toContain('FCM_SERVICE_ACCOUNT');
});

it('a process killed after one of two devices has it: that one is sent to again, and replaced', async () => {
  const userId = await owner([phone('second'), phone('first')]);
  const id = await killedBetween(harness, variables, { step: 'call provider', when: 'after', call: 1 }, () =>
    request(notification({ userId })),
  );
  expect(tokens()).toEqual(['first']);

  const service = await start();
  const { data: outcome } = await harness.bus.outcomeOf(id, 'completed');
  expect(outcome.result).toMatchObject({ delivered: 2 });
  expect(tokens().toSorted()).toEqual(['first', 'first', 'second']);
  expect(await counterOf(service, 'effects_repeated_total')).toBe(1);
  await eventually('it is settled once', () => harness.bus.outcomes.length === 1);
});

/** The real adapter and SDK against the sandbox, over TLS: each answer that FCM can give, and what it is for the service. */
import { generateKeyPairSync } from 'node:crypto';
import type { FcmAdapter } from '../../src/providers/fcm/adapter';
import { startFcmSandbox, type FcmSandbox } from '../support/sandbox/fcm/sandbox';
import { adapterFor, pushCall, pushMessage } from '../support/sandbox/fcm/sending';

let sandbox: FcmSandbox;
let fcm: FcmAdapter;

beforeEach(async () => {
  sandbox = await startFcmSandbox({ tls: true });
  fcm = adapterFor(sandbox.url);
  // With its token: what is counted from here on are messages.
  await fcm.send('first', pushMessage(), pushCall());
});
afterEach(() => sandbox?.close());

const calls = () => sandbox.calls() - 2;
const sent = () => sandbox.ledger().slice(1);

describe('a message that is taken', () => {
  it('is known by the name that FCM gave it, and asks every platform to put it in the place of one with its tag', async () => {
    const message = pushMessage({ title: 'Zoë 🎫', body: 'one\ntwo', tag: 'job-7' });
    const answer = await fcm.send('device-1', message, pushCall());

    const [notification] = sent();
    expect(notification).toEqual({ name: expect.stringContaining('/messages/'), token: 'device-1', ...message });
    expect(answer).toEqual({ kind: 'done', value: { messageId: notification?.name }, reference: notification?.name });
  });

  it('uses one token for many, and the same connection', async () => {
    for (const device of ['a', 'b', 'c']) await fcm.send(device, pushMessage(), pushCall());

    expect([calls(), sent().map(({ token }) => token)]).toEqual([3, ['a', 'b', 'c']]);
  });

  it('reaches FCM in the clear as well, where it is configured so', async () => {
    const plain = await startFcmSandbox();
    expect(await adapterFor(plain.url).send('device-1', pushMessage(), pushCall())).toMatchObject({ kind: 'done' });
    await plain.close();
  });
});

describe('a definite no', () => {
  it('about a device that is gone says so', async () => {
    expect(await fcm.send('gone-1', pushMessage(), pushCall())).toEqual({
      kind: 'declined',
      code: 'DEVICE_GONE',
      message: 'the app is not on the device any more (status 404, registration-token-not-registered)',
    });
  });

  it.each([
    ['a token that is none', 'no token', {}],
    ['a message that is too long', 'device-1', { body: 'x'.repeat(4_000) }],
  ])('about %s is final', async (_, device, changes) => {
    expect(await fcm.send(device, pushMessage(changes), pushCall())).toEqual({
      kind: 'declined',
      code: 'PUSH_REFUSED',
      message: 'FCM refuses the message (status 400, invalid-argument)',
    });
    expect(sent()).toEqual([]);
  });

  it('of the SDK itself is one as well, and nothing was sent', async () => {
    const answer = await fcm.send('', pushMessage(), pushCall());

    expect(answer).toMatchObject({ kind: 'declined', code: 'PUSH_REFUSED' });
    expect(calls()).toBe(0);
  });

  const stranger = () =>
    generateKeyPairSync('rsa', {
      modulusLength: 2_048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    }).privateKey;

  it.each([
    ['an account that gets no token', () => adapterFor(sandbox.url, { privateKey: stranger() }), 'device-1'],
    ['a project that is not ours', () => adapterFor(sandbox.url, { projectId: 'another' }), 'device-1'],
    ['an app of somebody else', () => fcm, 'other-sender-1'],
  ])('about %s may pass once the configuration is mended', async (_, adapter, device) => {
    expect(await adapter().send(device, pushMessage(), pushCall())).toMatchObject({
      kind: 'refused',
      code: 'FCM_UNAUTHORIZED',
    });
    expect(sent()).toEqual([]);
  });

  it('for now says how long it holds, and is asked for once', async () => {
    sandbox.fault({ kind: 'rate-limit', retryAfterSeconds: 7 });

    expect(await fcm.send('device-1', pushMessage(), pushCall())).toEqual({
      kind: 'refused',
      code: 'RATE_LIMITED',
      message: 'FCM takes no more messages just now (status 429, message-rate-exceeded)',
      trouble: 'busy',
      retryAfterMs: 7_000,
    });
    expect(calls()).toBe(1);
  });

  it('is certain while no token is given', async () => {
    sandbox.fault({ kind: 'lose-answer', match: { path: '/token' } });
    const other = adapterFor(sandbox.url);

    expect(await other.send('device-1', pushMessage(), pushCall())).toMatchObject({
      kind: 'refused',
      code: 'FCM_TOKEN_UNAVAILABLE',
      trouble: 'down',
    });
    // The next one asks again.
    expect(await other.send('device-1', pushMessage(), pushCall())).toMatchObject({ kind: 'done' });
  });

  it('stays one when the token comes after the call was given up: nothing is sent any more', async () => {
    const slow = sandbox.fault({ kind: 'slow', match: { path: '/token' } });
    const other = adapterFor(sandbox.url);
    expect(await other.send('device-1', pushMessage(), pushCall({ timeoutMs: 50 }))).toMatchObject({ kind: 'refused' });
    slow.release();
    expect(await other.send('device-2', pushMessage(), pushCall())).toMatchObject({ kind: 'done' });

    expect(sent().map(({ token }) => token)).toEqual(['device-2']);
  });
});

describe('when nobody knows whether a message was taken', () => {
  it.each([
    ['lose-answer', 'ECONNRESET', 1],
    ['reset-before', 'ECONNRESET', 0],
    ['fail-after-effect', 'HTTP_500', 1],
    ['fail-before-effect', 'HTTP_500', 0],
    ['unavailable', 'HTTP_503', 0],
  ] as const)('%s: unknown, and the SDK does not ask again by itself', async (kind, code, taken) => {
    sandbox.fault({ kind });

    expect(await fcm.send('device-1', pushMessage(), pushCall())).toEqual({
      kind: 'unknown',
      code,
      message: `FCM gave no clear answer: ${code}`,
      trouble: 'down',
    });
    expect([calls(), sent().length]).toEqual([1, taken]);
  });

  it('no answer within the time-out', async () => {
    sandbox.fault({ kind: 'hang' });

    expect(await fcm.send('device-1', pushMessage(), pushCall({ timeoutMs: 1_000 }))).toMatchObject({
      kind: 'unknown',
      code: 'TIMEOUT',
    });
    expect(calls()).toBe(1);
  });
});

describe('a caller that is told to stop', () => {
  it('before it has asked sends nothing', async () => {
    const call = pushCall({ signal: AbortSignal.abort() });
    expect(await fcm.send('device-1', pushMessage(), call)).toMatchObject({ kind: 'refused', code: 'ABORTED' });
    expect(calls()).toBe(0);
  });

  it('while a message is under way still learns that it was taken', async () => {
    const slow = sandbox.fault({ kind: 'slow' });
    const stop = new AbortController();
    const answer = fcm.send('device-1', pushMessage(), pushCall({ signal: stop.signal }));
    await slow.reached;
    stop.abort();
    slow.release();

    expect(await answer).toMatchObject({ kind: 'done', reference: sent()[0]?.name });
  });
});

it('no answer repeats what was sent, or to whom', async () => {
  const personal = /device-personal|Doors open|Gate 4/;
  for (const kind of ['bad-request', 'unauthorized', 'unavailable', 'lose-answer', 'rate-limit'] as const) {
    sandbox.fault({ kind });
    expect(JSON.stringify(await fcm.send('device-personal', pushMessage(), pushCall()))).not.toMatch(personal);
  }
});

it('many at once are told apart', async () => {
  sandbox.fault({ kind: 'unavailable', match: { metadata: { token: 'device-3' } } });
  const devices = ['device-1', 'device-2', 'device-3', 'device-4'];
  const answers = await Promise.all(devices.map((device) => fcm.send(device, pushMessage(), pushCall())));

  expect(answers.map(({ kind }) => kind)).toEqual(['done', 'done', 'unknown', 'done']);
  expect(calls()).toBe(4);
});

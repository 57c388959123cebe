/** The real adapter and library against a push service over TLS, and the browsers behind it. */
import webPush from 'web-push';
import { AddressGuard, parseNetwork } from '../../src/platform/outbound/addresses';
import { createWebPushAdapter, type WebPushAdapter } from '../../src/providers/web-push/adapter';
import { pushCall, pushMessage } from '../support/sandbox/fcm/sending';
import { certificate } from '../support/sandbox/http';
import { startWebPushSandbox, type WebPushSandbox } from '../support/sandbox/web-push/sandbox';

const vapid = { ...webPush.generateVAPIDKeys(), subject: 'mailto:tickets@example.com' };
const inside = [parseNetwork('127.0.0.0/8'), parseNetwork('::1/128')];

let sandbox: WebPushSandbox;
let adapter: WebPushAdapter;
const adapterWith = (over: { allowed?: typeof inside; keys?: typeof vapid } = {}) =>
  createWebPushAdapter({
    vapid: over.keys ?? vapid,
    guard: new AddressGuard(over.allowed ?? inside),
    ca: certificate,
  });

beforeEach(async () => {
  sandbox = await startWebPushSandbox(vapid.publicKey);
  adapter = adapterWith();
});
afterEach(() => sandbox?.close());

it('a message that is taken is opened by the browser alone, and replaces one of the same job', async () => {
  const { browser, subscription } = sandbox.subscribe();
  const message = pushMessage({ title: 'Zoë 🎫' });

  expect(await adapter.send(subscription, message, pushCall())).toEqual({
    kind: 'done',
    value: { messageId: '' },
    reference: '',
  });
  await adapter.send(subscription, message, pushCall());
  const [first, second] = sandbox.ledger();
  expect(first).toMatchObject({ browser, ttlSeconds: 86_400, content: message });
  expect(second?.topic).toBe(first?.topic);
});

describe('a definite no', () => {
  it('about a subscription that is over, or that nobody knows, says that it is gone', async () => {
    const { browser, subscription } = sandbox.subscribe();
    sandbox.unsubscribe(browser);

    for (const endpoint of [subscription.endpoint, `${sandbox.url}/another`]) {
      expect(await adapter.send({ ...subscription, endpoint }, pushMessage(), pushCall())).toMatchObject({
        kind: 'declined',
        code: 'DEVICE_GONE',
      });
    }
  });

  it('about keys of the browser that are none is made without asking', async () => {
    const { subscription } = sandbox.subscribe();
    const keys = { ...subscription.keys, p256dh: Buffer.alloc(65).toString('base64url') };

    expect(await adapter.send({ ...subscription, keys }, pushMessage(), pushCall())).toMatchObject({
      kind: 'declined',
      code: 'DEVICE_GONE',
    });
    expect(sandbox.calls()).toBe(0);
  });

  it('about a message is final', async () => {
    sandbox.fault({ kind: 'bad-request' });
    expect(await adapter.send(sandbox.subscribe().subscription, pushMessage(), pushCall())).toEqual({
      kind: 'declined',
      code: 'PUSH_REFUSED',
      message: 'The push service refuses the message (status 400)',
    });
  });

  it('about our keys may pass once they are mended', async () => {
    const other = adapterWith({ keys: { ...webPush.generateVAPIDKeys(), subject: vapid.subject } });
    expect(await other.send(sandbox.subscribe().subscription, pushMessage(), pushCall())).toMatchObject({
      kind: 'refused',
      code: 'VAPID_REFUSED',
    });
  });

  it.each([
    [7, 7_000],
    [31_536_000, 3_600_000],
  ])(
    'for now, for %i seconds, is no word about our account, and lasts an hour at most',
    async (seconds, retryAfterMs) => {
      sandbox.fault({ kind: 'rate-limit', retryAfterSeconds: seconds });
      const answer = await adapter.send(sandbox.subscribe().subscription, pushMessage(), pushCall());

      expect(answer).toMatchObject({ kind: 'refused', code: 'RATE_LIMITED', retryAfterMs });
      expect(answer).not.toHaveProperty('trouble');
    },
  );
});

describe('when nobody knows whether a message was taken', () => {
  it.each([
    ['lose-answer', 'ECONNRESET', 1],
    ['reset-before', 'ECONNRESET', 0],
    ['fail-after-effect', 'HTTP_500', 1],
    ['fail-before-effect', 'HTTP_500', 0],
    ['unavailable', 'HTTP_503', 0],
  ] as const)('%s: unknown, in one call, and no word about other push services', async (kind, code, taken) => {
    const { subscription } = sandbox.subscribe();
    sandbox.fault({ kind });

    expect(await adapter.send(subscription, pushMessage(), pushCall())).toMatchObject({
      kind: 'unknown',
      code,
      trouble: 'unheard',
    });
    expect([sandbox.calls(), sandbox.ledger().length]).toEqual([1, taken]);
  });

  it('no answer within the time-out', async () => {
    sandbox.fault({ kind: 'hang' });
    expect(
      await adapter.send(sandbox.subscribe().subscription, pushMessage(), pushCall({ timeoutMs: 200 })),
    ).toMatchObject({ kind: 'unknown', code: 'TIMEOUT', trouble: 'unheard' });
  });
});

describe('an address that is none of the internet', () => {
  const port = () => new URL(sandbox.url).port;

  it.each([
    ['by its number', () => `https://127.0.0.1:${port()}/x`],
    ['by a name', () => `https://localhost:${port()}/x`],
    ['as other programs would write it', () => `https://0x7f.1:${port()}/x`],
    ['in IPv6', () => `https://[::ffff:127.0.0.1]:${port()}/x`],
  ])('is not connected to, %s', async (_, endpoint) => {
    const outside = adapterWith({ allowed: [] });
    const { subscription } = sandbox.subscribe();

    expect(await outside.send({ ...subscription, endpoint: endpoint() }, pushMessage(), pushCall())).toMatchObject({
      kind: 'declined',
      code: 'DEVICE_GONE',
      message: 'the address of the push service is none of the internet',
    });
    expect(sandbox.calls()).toBe(0);
  });

  it('is none without TLS either', async () => {
    const { subscription } = sandbox.subscribe();
    const endpoint = subscription.endpoint.replace('https:', 'http:');
    expect(await adapter.send({ ...subscription, endpoint }, pushMessage(), pushCall())).toMatchObject({
      kind: 'declined',
    });
  });
});

it('before it has asked, a caller that is told to stop sends nothing', async () => {
  const call = pushCall({ signal: AbortSignal.abort() });
  expect(await adapter.send(sandbox.subscribe().subscription, pushMessage(), call)).toMatchObject({ code: 'ABORTED' });
  expect(sandbox.calls()).toBe(0);
});

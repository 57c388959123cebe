/** The real adapter against a receiver that checks what it gets by the library of Standard Webhooks. */
import { randomUUID } from 'node:crypto';
import { AddressGuard, parseNetwork } from '../../src/platform/outbound/addresses';
import { createSubscriberAdapter, type Callback } from '../../src/providers/subscriber/adapter';
import { pushCall } from '../support/sandbox/fcm/sending';
import { certificate } from '../support/sandbox/http';
import { startSubscriber, type Subscriber } from '../support/sandbox/subscriber/sandbox';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const OTHER = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;

let receiver: Subscriber;
const adapter = createSubscriberAdapter(new AddressGuard([parseNetwork('127.0.0.1/32')]), certificate);

beforeEach(async () => {
  receiver = await startSubscriber();
  receiver.secret = SECRET;
});
afterEach(() => receiver?.close());

const callback = (over: Partial<Callback> = {}): Callback => ({
  url: `${receiver.url}/hook`,
  id: randomUUID(),
  body: JSON.stringify({ type: 'com.tickettoken.job.completed.v1', data: { n: 'Zoë 🎫' } }),
  secrets: [SECRET],
  ...over,
});

describe('a call that is taken', () => {
  it('is signed, and says by its id which one it is', async () => {
    const call = callback();

    expect(await adapter.send(call, pushCall())).toEqual({ kind: 'done', value: { status: 204 }, reference: '204' });
    expect(receiver.ledger()).toEqual([{ path: '/hook', id: call.id, signatures: 1, event: JSON.parse(call.body) }]);
  });

  it.each([[SECRET], [OTHER]])('while a secret is being changed is good by either: %s', async (known) => {
    receiver.secret = known;

    expect(await adapter.send(callback({ secrets: [OTHER, SECRET] }), pushCall())).toMatchObject({ kind: 'done' });
    expect(receiver.ledger()).toMatchObject([{ signatures: 2 }]);
  });

  it('is taken however much is answered to it', async () => {
    expect(await adapter.send(callback({ url: `${receiver.url}/large` }), pushCall())).toMatchObject({ kind: 'done' });
  });

  it.each([307, 308])('is taken where a redirect %i leads to', async (status) => {
    receiver.redirect = { status, location: '/hook' };

    expect(await adapter.send(callback({ url: `${receiver.url}/redirect` }), pushCall())).toMatchObject({
      kind: 'done',
    });
    expect(receiver.ledger()).toMatchObject([{ path: '/hook' }]);
  });
});

describe('a call that is not taken', () => {
  it('by a subscriber that wants no more is the last', async () => {
    expect(await adapter.send(callback({ url: `${receiver.url}/gone` }), pushCall())).toMatchObject({
      kind: 'declined',
      code: 'SUBSCRIBER_GONE',
    });
  });

  it('with a signature of somebody else may be taken later', async () => {
    expect(await adapter.send(callback({ secrets: [OTHER] }), pushCall())).toMatchObject({
      kind: 'refused',
      code: 'HTTP_401',
    });
  });

  it.each([
    [7, 7_000],
    [31_536_000, 3_600_000],
  ])('for now, for %i seconds, waits an hour at most, and keeps nobody else from being called', async (seconds, ms) => {
    receiver.fault({ kind: 'rate-limit', retryAfterSeconds: seconds });

    expect(await adapter.send(callback(), pushCall())).toMatchObject({
      kind: 'refused',
      code: 'HTTP_429',
      retryAfterMs: ms,
      trouble: 'unheard',
    });
  });

  it.each([
    [302, '/hook'],
    [303, '/hook'],
    [307, '/redirect'],
  ])('is not taken where a redirect %i to %s would lead', async (status, location) => {
    receiver.redirect = { status, location };

    expect(await adapter.send(callback({ url: `${receiver.url}/redirect` }), pushCall())).toMatchObject({
      kind: 'refused',
      code: `HTTP_${status}`,
    });
    expect(receiver.calls()).toBe(location === '/redirect' ? 4 : 1);
  });
});

describe('when nobody knows whether it was taken', () => {
  it.each([
    ['lose-answer', 'ECONNRESET', 1],
    ['reset-before', 'ECONNRESET', 0],
  ] as const)('%s: unknown, in one call, and no word about other subscribers', async (kind, code, taken) => {
    receiver.fault({ kind });

    expect(await adapter.send(callback(), pushCall())).toMatchObject({ kind: 'unknown', code, trouble: 'unheard' });
    expect([receiver.calls(), receiver.ledger().length]).toEqual([1, taken]);
  });

  it('no answer within the time-out', async () => {
    receiver.fault({ kind: 'hang' });
    expect(await adapter.send(callback(), pushCall({ timeoutMs: 200 }))).toMatchObject({
      kind: 'unknown',
      code: 'TIMEOUT',
      trouble: 'unheard',
    });
  });
});

describe('an address that is none of the internet', () => {
  const port = () => new URL(receiver.url).port;
  const refused = { kind: 'declined', code: 'ADDRESS_NOT_ALLOWED', trouble: 'unheard' };

  it.each([
    ['this machine', () => `https://127.0.0.2:${port()}/hook`],
    ['this machine in IPv6', () => `https://[::1]:${port()}/hook`],
    ['IPv4 in IPv6', () => `https://[::ffff:7f00:2]:${port()}/hook`],
    ['the metadata of a cloud', () => 'https://169.254.169.254/latest/meta-data'],
    ['one without TLS', () => `http://127.0.0.1:${port()}/hook`],
  ])('is not called: %s', async (_, url) => {
    expect(await adapter.send(callback({ url: url() }), pushCall())).toMatchObject(refused);
    expect(receiver.calls()).toBe(0);
  });

  it.each([
    ['this machine', () => `https://127.0.0.2:${port()}/hook`],
    ['one without TLS', () => `http://127.0.0.1:${port()}/hook`],
  ])('is not called where a redirect leads to it either: %s', async (_, location) => {
    receiver.redirect = { status: 307, location: location() };

    expect(await adapter.send(callback({ url: `${receiver.url}/redirect` }), pushCall())).toMatchObject(refused);
    expect(receiver.calls()).toBe(1);
  });
});

it('before it has asked, a caller that is told to stop sends nothing', async () => {
  const call = pushCall({ signal: AbortSignal.abort() });
  expect(await adapter.send(callback(), call)).toMatchObject({ code: 'ABORTED' });
  expect(receiver.calls()).toBe(0);
});

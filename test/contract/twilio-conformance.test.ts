/** The real adapter and SDK against the sandbox: each answer that Twilio can give, and what it is for the service. */
import type { TwilioAdapter } from '../../src/providers/twilio/adapter';
import { startTwilioSandbox, type TwilioSandbox } from '../support/sandbox/twilio/sandbox';
import { adapterFor, justNow, textCall, textMessage, TO } from '../support/sandbox/twilio/sending';

let sandbox: TwilioSandbox;
let twilio: TwilioAdapter;

beforeAll(async () => {
  sandbox = await startTwilioSandbox();
  twilio = adapterFor(sandbox.url);
});
beforeEach(() => sandbox.reset());
afterAll(() => sandbox?.close());

describe('a message that is taken', () => {
  it('is known by the id that Twilio gave it', async () => {
    const answer = await twilio.send(textMessage({ text: 'Grüße, 100 €\nand 🎫' }), textCall());

    const [sent] = sandbox.ledger();
    expect(sent).toEqual({
      sid: expect.stringMatching(/^SM[0-9a-f]{32}$/),
      to: TO,
      from: textMessage().from,
      body: 'Grüße, 100 €\nand 🎫',
    });
    expect(answer).toEqual({ kind: 'done', value: { messageId: sent?.sid }, reference: sent?.sid });
  });

  it('that is sent again is another message: Twilio takes no keys', async () => {
    await twilio.send(textMessage(), textCall());
    await twilio.send(textMessage(), textCall());

    expect(sandbox.ledger()).toHaveLength(2);
  });
});

describe('a definite no', () => {
  it.each([
    ['a number that is none', '+15005550001', 'INVALID_NUMBER', 21211],
    ['a number without a route', '+15005550002', 'INVALID_NUMBER', 21612],
    ['a country that is not allowed', '+15005550003', 'REGION_NOT_ALLOWED', 21408],
    ['somebody who unsubscribed', '+15005550004', 'UNSUBSCRIBED', 21610],
    ['a landline', '+15005550009', 'INVALID_NUMBER', 21614],
  ])('about %s is final', async (_, to, code, number) => {
    const answer = await twilio.send(textMessage({ to }), textCall());

    expect(answer).toMatchObject({ kind: 'declined', code });
    expect(answer).toHaveProperty('message', expect.stringContaining(`status 400, code ${number}`));
    expect(sandbox.ledger()).toEqual([]);
  });

  it.each([
    ['blank', ' '],
    ['too long', 'x'.repeat(1_601)],
  ])('about a text that is %s is final', async (_, text) => {
    expect(await twilio.send(textMessage({ text }), textCall())).toMatchObject({
      kind: 'declined',
      code: 'TEXT_REFUSED',
    });
  });

  it('without a meaning of its own is final too', async () => {
    sandbox.fault({ kind: 'bad-request' });

    expect(await twilio.send(textMessage(), textCall())).toEqual({
      kind: 'declined',
      code: 'SMS_REFUSED',
      message: 'Twilio refuses the message (status 400, code 20001)',
    });
  });

  it.each([
    ['a token that is withdrawn', () => adapterFor(sandbox.url, { authToken: 'other' }), {}, 401, 20003],
    ['a sender that is not ours', () => twilio, { from: '+15005550007' }, 400, 21606],
    ['a sender that is no number', () => twilio, { from: '+15005550001' }, 400, 21212],
  ])('about %s may pass once the configuration is mended', async (_, adapter, changes, status, code) => {
    expect(await adapter().send(textMessage(changes), textCall())).toEqual({
      kind: 'refused',
      code: 'TWILIO_UNAUTHORIZED',
      message: `Twilio does not accept the account or the sender (status ${status}, code ${code})`,
    });
    expect(sandbox.ledger()).toEqual([]);
  });

  it('for now says how long it holds', async () => {
    sandbox.fault({ kind: 'rate-limit', retryAfterSeconds: 7 });

    expect(await twilio.send(textMessage(), textCall())).toMatchObject({
      kind: 'refused',
      code: 'RATE_LIMITED',
      retryAfterMs: 7_000,
    });
    expect(sandbox.calls()).toBe(1);
  });

  it("for now is that the sender's queue is full", async () => {
    const answer = await twilio.send(textMessage({ from: '+15005550008' }), textCall());

    expect(answer).toMatchObject({ kind: 'refused', code: 'RATE_LIMITED' });
    expect(answer).not.toHaveProperty('retryAfterMs');
  });

  it('is certain when the address has no machine', async () => {
    // ENOTFOUND, or EAI_AGAIN where no name server can be asked.
    expect(await adapterFor('http://twilio.invalid').send(textMessage(), textCall())).toMatchObject({
      kind: 'refused',
    });
  });
});

describe('when nobody knows whether a message was taken', () => {
  it.each([
    ['lose-answer', 'ECONNRESET', 'done'],
    ['reset-before', 'ECONNRESET', 'absent'],
    ['fail-after-effect', 'HTTP_500', 'done'],
    ['fail-before-effect', 'HTTP_500', 'absent'],
    ['unavailable', 'HTTP_503', 'absent'],
  ] as const)('%s: unknown, in one call, and found out by asking', async (kind, code, found) => {
    sandbox.fault({ kind });
    const call = justNow();

    expect(await twilio.send(textMessage(), textCall())).toMatchObject({ kind: 'unknown', code });
    expect(sandbox.calls()).toBe(1);
    const sid = sandbox.ledger()[0]?.sid;
    expect(await twilio.find(textMessage(), call, textCall())).toEqual(
      found === 'done' ? { kind: 'done', value: { messageId: sid }, reference: sid } : { kind: 'absent' },
    );
  });

  it('no answer within the time-out', async () => {
    sandbox.fault({ kind: 'hang' });

    expect(await twilio.send(textMessage(), textCall({ timeoutMs: 50 }))).toMatchObject({
      kind: 'unknown',
      code: 'TIMEOUT',
    });
    expect(sandbox.calls()).toBe(1);
  });

  it.each([
    ['unavailable', 'HTTP_503'],
    ['unauthorized', 'TWILIO_UNAUTHORIZED'],
    ['rate-limit', 'RATE_LIMITED'],
    ['lose-answer', 'ECONNRESET'],
  ] as const)('and asking is answered by %s, nobody knows still', async (kind, code) => {
    await twilio.send(textMessage(), textCall());
    sandbox.fault({ kind });

    expect(await twilio.find(textMessage(), justNow(), textCall())).toMatchObject({ kind: 'unknown', code });
  });
});

describe('what was sent is told apart', () => {
  it('by recipient and text', async () => {
    const call = justNow();
    await twilio.send(textMessage({ text: 'Your code is 1234' }), textCall());

    expect(await twilio.find(textMessage({ text: 'Your code is 123' }), call, textCall())).toEqual({ kind: 'absent' });
    expect(await twilio.find(textMessage({ to: '+15558675311' }), call, textCall())).toEqual({ kind: 'absent' });
  });

  it('by the time of the call: what came long before or after is not it', async () => {
    await twilio.send(textMessage(), textCall());
    const hour = (from: number) => ({
      from: new Date(Date.now() + from * 3_600_000),
      until: new Date(Date.now() + (from + 1) * 3_600_000),
    });

    expect(await twilio.find(textMessage(), hour(-2), textCall())).toEqual({ kind: 'absent' });
    expect(await twilio.find(textMessage(), hour(1), textCall())).toEqual({ kind: 'absent' });
    expect(await twilio.find(textMessage(), hour(-0.5), textCall())).toMatchObject({ kind: 'done' });
  });
});

describe('a caller that is told to stop', () => {
  it('before it has asked sends nothing', async () => {
    expect(await twilio.send(textMessage(), textCall({ signal: AbortSignal.abort() }))).toMatchObject({
      kind: 'refused',
      code: 'ABORTED',
    });
    expect(sandbox.calls()).toBe(0);
  });

  it('while a message is under way still learns that it was taken', async () => {
    const slow = sandbox.fault({ kind: 'slow' });
    const stop = new AbortController();
    const answer = twilio.send(textMessage(), textCall({ signal: stop.signal }));
    await slow.reached;
    stop.abort();
    slow.release();

    expect(await answer).toMatchObject({ kind: 'done', reference: sandbox.ledger()[0]?.sid });
  });
});

it('no answer repeats what was sent', async () => {
  const personal = /5558675310|5005550001|Your tickets/;
  for (const kind of ['bad-request', 'unauthorized', 'unavailable', 'lose-answer', 'rate-limit'] as const) {
    sandbox.fault({ kind });
    expect(JSON.stringify(await twilio.send(textMessage(), textCall()))).not.toMatch(personal);
  }
  expect(JSON.stringify(await twilio.send(textMessage({ to: '+15005550001' }), textCall()))).not.toMatch(personal);
});

it('the proxy of the environment is not asked', async () => {
  const before = { ...process.env };
  Object.assign(process.env, { HTTP_PROXY: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: '' });
  try {
    expect(await twilio.send(textMessage(), textCall())).toMatchObject({ kind: 'done' });
  } finally {
    process.env = before;
  }
});

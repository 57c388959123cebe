/** The real adapter and SDK against the sandbox: each answer that SendGrid can give, and what it is for the service. */
import type http from 'node:http';
import { createSendGridAdapter, type SendGridAdapter } from '../../src/providers/sendgrid/adapter';
import { API_KEY, mail, sendCall, to } from '../support/sandbox/sendgrid/sending';
import { startSendGridSandbox, type SendGridSandbox } from '../support/sandbox/sendgrid/sandbox';
import { StrangeServers } from '../support/strange-servers';

let sandbox: SendGridSandbox;
let sendgrid: SendGridAdapter;

beforeEach(async () => {
  sandbox = await startSendGridSandbox();
  sendgrid = createSendGridAdapter({ apiKey: API_KEY, apiBase: sandbox.url });
});
afterEach(() => sandbox.close());

describe('a mail that is taken', () => {
  it('has both parts, its kind and its job, and is known by the id that SendGrid gave it', async () => {
    const answer = await sendgrid.send(mail(), sendCall());

    const [sent] = sandbox.ledger();
    const messageId = sent?.messageId ?? '';
    expect(answer).toEqual({ kind: 'done', value: { messageId }, reference: messageId });
    expect(sandbox.ledger()).toEqual([
      {
        messageId,
        jobId: 'job-1',
        to: 'jane@example.com',
        from: 'tickets@example.com',
        subject: 'Your order',
        category: 'order-receipt',
        text: 'Two tickets',
        html: '<b>Two tickets</b>',
      },
    ]);
  });

  it('that is sent again is another mail: SendGrid takes no keys', async () => {
    await sendgrid.send(mail(), sendCall());
    await sendgrid.send(mail(), sendCall());

    expect(sandbox.ledger()).toHaveLength(2);
  });
});

describe('a mail to many', () => {
  const recipients = Array.from({ length: 1_000 }, (_, index) =>
    to(`guest-${index}@example.com`, { '%m.name.text%': `A & ${index}$&`, '%m.name.html%': `A &amp; ${index}` }),
  );
  const many = mail({ recipients, text: 'Hello %m.name.text%', html: '<b>%m.name.html%</b> %m.name.html%' });

  it('is one call and one id, and each gets a mail with words of their own and no other address', async () => {
    const answer = await sendgrid.send(many, sendCall());

    expect(sandbox.calls()).toBe(1);
    expect(sandbox.ledger()).toHaveLength(1_000);
    expect(answer).toMatchObject({ kind: 'done', reference: sandbox.ledger()[0]?.messageId });
    expect(sandbox.ledger()[7]).toMatchObject({
      messageId: sandbox.ledger()[0]?.messageId,
      jobId: 'job-1',
      to: 'guest-7@example.com',
      category: 'order-receipt',
      text: 'Hello A & 7$&',
      html: '<b>A &amp; 7</b> A &amp; 7',
    });
  });

  it('is refused whole for one bad address, which is named by its place', async () => {
    const some = recipients.slice(0, 3).concat(to('guest at example.com'));

    expect(await sendgrid.send(mail({ recipients: some }), sendCall())).toMatchObject({
      kind: 'declined',
      message: expect.stringContaining('personalizations.3.to.0.email'),
    });
    expect(sandbox.ledger()).toEqual([]);
  });
});

describe('a definite no', () => {
  it('about the mail is final, and names the fields alone', async () => {
    const answer = await sendgrid.send(mail({ recipients: [to('jane at example.com')], subject: '' }), sendCall());

    expect(answer).toEqual({
      kind: 'declined',
      code: 'EMAIL_REFUSED',
      message: 'SendGrid refuses the mail (status 400, fields: personalizations.0.to.0.email, subject)',
    });
    expect(sandbox.ledger()).toEqual([]);
  });

  it.each([
    ['a withdrawn key', () => sendgrid.send(mail(), sendCall()), { kind: 'unauthorized' as const }, 401],
    [
      'a sender that nobody verified',
      () => sendgrid.send(mail({ from: { email: 'a@unverified.example' } }), sendCall()),
      undefined,
      403,
    ],
  ])('about %s may pass once the configuration is mended', async (_, send, fault, status) => {
    if (fault) sandbox.fault(fault);

    expect(await send()).toEqual({
      kind: 'refused',
      code: 'SENDGRID_UNAUTHORIZED',
      message: `SendGrid does not accept the key or the sender (status ${status})`,
    });
    expect(sandbox.ledger()).toEqual([]);
  });

  it('for now says how long it holds, by the time at which the limit ends', async () => {
    sandbox.fault({ kind: 'rate-limit', retryAfterSeconds: 3_600 });
    const before = Math.floor(Date.now() / 1000) * 1000;
    const answer = await sendgrid.send(mail(), sendCall());

    expect(answer).toMatchObject({ kind: 'refused', code: 'RATE_LIMITED' });
    const until = before + ('retryAfterMs' in answer ? (answer.retryAfterMs ?? 0) : 0);
    expect(until).toBeGreaterThan(before + 3_000_000);
    expect(until).toBeLessThanOrEqual(Date.now() + 3_601_000);
  });

  it('is certain when nobody listens', async () => {
    await sandbox.close();

    expect(await sendgrid.send(mail(), sendCall())).toMatchObject({ kind: 'refused', code: 'ECONNREFUSED' });
  });

  it('is certain when the address has no machine', async () => {
    const nowhere = createSendGridAdapter({ apiKey: API_KEY, apiBase: 'http://sendgrid.invalid' });

    // ENOTFOUND, or EAI_AGAIN where no name server can be asked.
    expect(await nowhere.send(mail(), sendCall())).toMatchObject({ kind: 'refused' });
  });
});

describe('when nobody knows whether a mail was taken', () => {
  it.each([
    ['lose-answer', 'ECONNRESET', 1],
    ['reset-before', 'ECONNRESET', 0],
    ['fail-after-effect', 'HTTP_500', 1],
    ['fail-before-effect', 'HTTP_500', 0],
    ['unavailable', 'HTTP_503', 0],
  ] as const)('%s: unknown, and one call, whatever happened', async (kind, code, mails) => {
    sandbox.fault({ kind });

    expect(await sendgrid.send(mail(), sendCall())).toMatchObject({ kind: 'unknown', code });
    expect(sandbox.ledger()).toHaveLength(mails);
    expect(sandbox.calls()).toBe(1);
  });

  it('no answer within the time-out', async () => {
    sandbox.fault({ kind: 'hang' });

    expect(await sendgrid.send(mail(), sendCall({ timeoutMs: 50 }))).toMatchObject({
      kind: 'unknown',
      code: 'TIMEOUT',
    });
    expect(sandbox.calls()).toBe(1);
  });
});

describe('a caller that is told to stop', () => {
  it('before it has asked sends nothing', async () => {
    expect(await sendgrid.send(mail(), sendCall({ signal: AbortSignal.abort() }))).toMatchObject({
      kind: 'refused',
      code: 'ABORTED',
    });
    expect(sandbox.calls()).toBe(0);
  });

  it('while a mail is under way still learns that it was taken', async () => {
    const slow = sandbox.fault({ kind: 'slow' });
    const stop = new AbortController();
    const answer = sendgrid.send(mail(), sendCall({ signal: stop.signal }));
    await slow.reached;
    stop.abort();
    slow.release();

    expect(await answer).toMatchObject({ kind: 'done', reference: sandbox.ledger()[0]?.messageId });
  });
});

it('no answer repeats what was sent', async () => {
  const personal = /jane|example\.com|Two tickets|Your order|SG\./;
  for (const kind of ['bad-request', 'unauthorized', 'unavailable', 'lose-answer', 'rate-limit'] as const) {
    sandbox.fault({ kind });
    expect(JSON.stringify(await sendgrid.send(mail(), sendCall()))).not.toMatch(personal);
  }
  const refused = await sendgrid.send(mail({ from: { email: 'jane@unverified.example' } }), sendCall());
  expect(JSON.stringify(refused)).not.toMatch(personal);
});

describe('an answer that is none', () => {
  const servers = new StrangeServers();
  afterEach(() => servers.close());

  async function answering(listener: http.RequestListener): Promise<SendGridAdapter> {
    return createSendGridAdapter({ apiKey: API_KEY, apiBase: await servers.answering(listener) });
  }

  it.each<[string, number, http.OutgoingHttpHeaders, string]>([
    ['UNREADABLE_ANSWER', 200, { 'x-message-id': 'abc' }, ''],
    ['UNREADABLE_ANSWER', 202, {}, ''],
    ['UNREADABLE_ANSWER', 202, { 'x-message-id': 'a b' }, ''],
    ['UNREADABLE_ANSWER', 200, {}, '<html>log in</html>'],
    ['HTTP_408', 408, {}, ''],
    ['HTTP_502', 502, {}, '<html>bad gateway</html>'],
  ])('is %s: status %i with %j and "%s"', async (code, status, headers, body) => {
    const other = await answering((_, response) => response.writeHead(status, headers).end(body));

    expect(await other.send(mail(), sendCall())).toMatchObject({ kind: 'unknown', code });
  });

  it.each([
    ['not JSON', '<html>jane@example.com</html>'],
    ['JSON of another kind', '{"errors":"jane@example.com"}'],
    ['a field that is no name', '{"errors":[{"field":"jane@example.com","message":"m"}]}'],
  ])('is a no all the same when its status says so: %s', async (_, body) => {
    const other = await answering((_request, response) => response.writeHead(400).end(body));

    expect(await other.send(mail(), sendCall())).toEqual({
      kind: 'declined',
      code: 'EMAIL_REFUSED',
      message: 'SendGrid refuses the mail (status 400)',
    });
  });

  it('takes the key nowhere else: a redirect is not followed', async () => {
    let followed = 0;
    const location = await servers.answering((_, response) => {
      followed += 1;
      response.writeHead(202, { 'x-message-id': 'abc' }).end();
    });
    const other = await answering((_, response) => response.writeHead(307, { location }).end());

    expect(await other.send(mail(), sendCall())).toMatchObject({ kind: 'unknown', code: 'HTTP_307' });
    expect(followed).toBe(0);
  });

  it('is not read beyond what an answer can be', async () => {
    const other = await answering((_, response) => response.writeHead(400).end('x'.repeat(1024 * 1024)));

    expect(await other.send(mail(), sendCall())).toMatchObject({ kind: 'unknown', code: 'ERR_BAD_RESPONSE' });
  });

  it('that never ends is cut off, although bytes keep coming', async () => {
    const other = await answering((_, response) => {
      response.writeHead(400);
      const dripping = setInterval(() => response.write(' '), 10);
      response.on('close', () => clearInterval(dripping));
    });

    expect(await other.send(mail(), sendCall({ timeoutMs: 100 }))).toMatchObject({ kind: 'unknown', code: 'TIMEOUT' });
  });

  it('is asked for without the proxy of the environment', async () => {
    const before = { ...process.env };
    Object.assign(process.env, { HTTP_PROXY: 'http://127.0.0.1:9', NO_PROXY: '' });
    try {
      expect(await sendgrid.send(mail(), sendCall())).toMatchObject({ kind: 'done' });
    } finally {
      process.env = before;
    }
  });
});

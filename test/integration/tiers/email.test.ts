import type { Service } from '../../../src/service';
import { counterOf } from '../../support/counters';
import { killedBetween } from '../../support/crash-between';
import { receipt, receiptEmail, wholeEmail } from '../../support/emails';
import { eventually, openHarness, type Harness } from '../../support/harness';
import { quick } from '../../support/money';
import { startSendGridSandbox, type SendGridSandbox } from '../../support/sandbox/sendgrid/sandbox';
import { API_KEY } from '../../support/sandbox/sendgrid/sending';

let harness: Harness;
let sendgrid: SendGridSandbox;
let variables: Record<string, string>;

beforeEach(async () => {
  sendgrid = await startSendGridSandbox();
  harness = await openHarness();
  variables = {
    SENDGRID_API_KEY: API_KEY,
    SENDGRID_API_BASE: sendgrid.url,
    EMAIL_FROM: 'Tickets <tickets@example.com>',
  };
});
afterEach(async () => {
  await harness?.close();
  await sendgrid?.close();
});

const start = (): Promise<Service> => harness.startService({}, quick, variables);
/** A call is over before the next attempt comes: no test waits longer than that for a repeat. */
const request = (data: Record<string, unknown>): Promise<string> =>
  harness.bus.request({ type: 'send-email', data, options: { timeout: 5_000 } });

it('a request becomes one mail, and an outcome that names it; the same mail on the same day is not sent again', async () => {
  await start();
  const data = receiptEmail({ to: 'jane@example.com', data: receipt({ eventName: 'Tom & Jerry' }) });
  const { data: outcome } = await harness.bus.outcomeOf(await request(data), 'completed');

  const [mail] = sendgrid.ledger();
  expect(mail).toMatchObject({
    jobId: outcome.jobId,
    to: 'jane@example.com',
    from: 'tickets@example.com',
    subject: 'Your tickets for Tom & Jerry',
    category: 'order-receipt',
  });
  expect(mail?.text).toContain('Tom & Jerry');
  expect(mail?.html).toContain('Tom &amp; Jerry');
  expect(outcome).toMatchObject({
    queue: 'communication',
    attempts: 1,
    result: {
      messageId: mail?.messageId,
      to: 'jane@example.com',
      template: 'order-receipt',
      recipients: 1,
      suppressed: 0,
    },
  });
  expect((await harness.bus.outcomeOf(await request(data), 'duplicate')).data.jobId).toBe(outcome.jobId);
  expect(sendgrid.ledger()).toHaveLength(1);
});

it('a reminder to many is one call, in which everybody is greeted by name', async () => {
  await start();
  const recipients = [
    { to: 'ada@example.com', name: 'Ada <3', tickets: 2 },
    { to: 'ben@example.com', name: 'Ben' },
  ];
  const id = await request(wholeEmail('event-reminder', { to: undefined, recipients }));
  const { data: outcome } = await harness.bus.outcomeOf(id, 'completed');

  const [ada, ben] = sendgrid.ledger();
  expect(sendgrid.calls()).toBe(1);
  expect(ada).toMatchObject({ to: 'ada@example.com', jobId: outcome.jobId, category: 'event-reminder' });
  expect(ada?.text).toContain('Hello Ada <3,');
  expect(ada?.html).toContain('Hello Ada &lt;3,');
  expect(ada?.text).toContain('your 2 tickets');
  expect(ben?.text).toContain('Hello Ben,');
  for (const part of [ada?.text, ada?.html, ben?.text, ben?.html]) expect(part).not.toContain(outcome.jobId);
  expect(outcome.result).toEqual({
    messageId: ada?.messageId,
    template: 'event-reminder',
    recipients: 2,
    suppressed: 0,
    sentAt: expect.any(String),
  });
});

describe('the suppression list', () => {
  const suppress = (address: string, reason: string) =>
    harness.environment.pool.query(
      `INSERT INTO email_suppressions (address_digest, reason) VALUES (sha256(lower($1)::bytea), $2)`,
      [address, reason],
    );

  it.each(['bounced', 'reported_as_spam', 'by_hand'])(
    'keeps every mail from an address that is on it: %s',
    async (reason) => {
      await start();
      await suppress('Jane@Example.com', reason);
      const { data: outcome } = await harness.bus.outcomeOf(
        await request(receiptEmail({ to: 'jane@example.COM' })),
        'failed',
      );

      expect(outcome).toMatchObject({ attempts: 1, error: { code: 'SUPPRESSED', replayable: false } });
      expect(sendgrid.calls()).toBe(0);
    },
  );

  it('keeps from whoever unsubscribed what is optional alone', async () => {
    await start();
    await suppress('ada@example.com', 'unsubscribed');
    const reminder = await request(wholeEmail('event-reminder', { to: 'ada@example.com' }));
    const receipt = await request(receiptEmail({ to: 'ada@example.com' }));

    expect((await harness.bus.outcomeOf(reminder, 'failed')).data.error).toMatchObject({ code: 'SUPPRESSED' });
    await harness.bus.outcomeOf(receipt, 'completed');
    expect(sendgrid.ledger()).toMatchObject([{ category: 'order-receipt' }]);
  });

  it('takes some of many out, and the result says how many', async () => {
    await start();
    await suppress('ben@example.com', 'bounced');
    const recipients = ['ada', 'ben', 'eve'].map((name) => ({ to: `${name}@example.com`, name }));
    const id = await request(wholeEmail('event-reminder', { to: undefined, recipients }));
    const { data: outcome } = await harness.bus.outcomeOf(id, 'completed');

    expect(outcome.result).toMatchObject({ recipients: 2, suppressed: 1 });
    expect(sendgrid.ledger().map(({ to }) => to)).toEqual(['ada@example.com', 'eve@example.com']);
    expect(sendgrid.ledger()[1]?.text).toContain('Hello eve,');
  });
});

it('a mail that the rate limit held back is sent once, and is no repeat', async () => {
  const service = await start();
  sendgrid.fault({ kind: 'rate-limit', retryAfterSeconds: 1 });
  const { data: outcome } = await harness.bus.outcomeOf(await request(receiptEmail()), 'completed');

  expect(outcome).toMatchObject({ attempts: 1 });
  expect(sendgrid.ledger()).toHaveLength(1);
  expect(await counterOf(service, 'effects_repeated_total')).toBe(0);
});

it('a receipt whose answer was lost is sent again, and counted', async () => {
  const service = await start();
  sendgrid.fault({ kind: 'lose-answer' });
  const { data: outcome } = await harness.bus.outcomeOf(await request(receiptEmail()), 'completed');

  expect(sendgrid.ledger().map(({ jobId }) => jobId)).toEqual([outcome.jobId, outcome.jobId]);
  expect(outcome.result).toMatchObject({ messageId: sendgrid.ledger()[1]?.messageId });
  expect(await service.metrics.registry.metrics()).toMatch(
    /effects_repeated_total\{job_type="send-email",effect="send"\} 1/,
  );
});

it('a receipt that nobody answers for fails in the end, and is not left in doubt', async () => {
  const service = await start();
  sendgrid.fault({ kind: 'unavailable', times: 3 });
  const { data: outcome } = await harness.bus.outcomeOf(await request(receiptEmail()), 'failed');

  expect(outcome).toMatchObject({ attempts: 3, error: { code: 'HTTP_503', replayable: true } });
  expect(await counterOf(service, 'effects_repeated_total')).toBe(2);
  expect(harness.bus.outcomes).toHaveLength(1);
});

it('a mail that SendGrid refuses fails at once, and what it says holds no address', async () => {
  await start();
  sendgrid.fault({ kind: 'bad-request' });
  const { data: outcome } = await harness.bus.outcomeOf(await request(receiptEmail()), 'failed');

  expect(outcome).toMatchObject({
    attempts: 1,
    error: {
      code: 'EMAIL_REFUSED',
      message: 'SendGrid refuses the mail (status 400, fields: content)',
      replayable: false,
    },
  });
  expect(sendgrid.calls()).toBe(1);
});

it('only the configured sender is accepted', async () => {
  await start();
  const other = await request(receiptEmail({ from: 'ceo@example.com' }));
  const same = await request(receiptEmail({ from: 'Tickets@Example.com' }));

  expect((await harness.bus.outcomeOf(other, 'failed')).data.error).toMatchObject({ code: 'SENDER_NOT_ALLOWED' });
  await harness.bus.outcomeOf(same, 'completed');
  expect(sendgrid.ledger()).toMatchObject([{ from: 'tickets@example.com' }]);
});

it('without a key for SendGrid no mail is taken, and the reason is told', async () => {
  await harness.startService({}, quick);
  const { data: outcome } = await harness.bus.outcomeOf(await request(receiptEmail()), 'rejected');

  expect(outcome.error).toMatchObject({ code: 'TYPE_UNAVAILABLE' });
  expect(JSON.stringify(outcome.error?.details)).toContain('SENDGRID_API_KEY');
});

it('a process killed between sending and settling: the receipt is sent once more, and counted', async () => {
  const plan = { step: 'call provider', when: 'after', call: 1 } as const;
  const id = await killedBetween(harness, variables, plan, () => request(receiptEmail()));
  expect(sendgrid.ledger()).toHaveLength(1);

  const service = await start();
  const { data: outcome } = await harness.bus.outcomeOf(id, 'completed');
  expect(sendgrid.ledger().map(({ jobId }) => jobId)).toEqual([outcome.jobId, outcome.jobId]);
  expect(await counterOf(service, 'effects_repeated_total')).toBe(1);
  await eventually('it is settled once', () => harness.bus.outcomes.length === 1);
});

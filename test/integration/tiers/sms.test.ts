import type { Config } from '../../../src/config';
import type { Service } from '../../../src/service';
import { counterOf } from '../../support/counters';
import { killedBetween } from '../../support/crash-between';
import { eventually, openHarness, type Harness } from '../../support/harness';
import { quick } from '../../support/money';
import { OUR_NUMBER } from '../../support/sandbox/twilio/emulator';
import { startTwilioSandbox, type TwilioSandbox } from '../../support/sandbox/twilio/sandbox';
import { twilioVariables } from '../../support/sandbox/twilio/sending';
import { receiptText } from '../../support/texts';

let harness: Harness;
let twilio: TwilioSandbox;
let variables: Record<string, string>;

beforeAll(async () => {
  twilio = await startTwilioSandbox();
});
beforeEach(async () => {
  await twilio.reset();
  harness = await openHarness();
  variables = twilioVariables(twilio.url);
});
afterEach(() => harness?.close());
afterAll(() => twilio?.close());

/** Asks what became of a message as soon as its call is over. */
function impatient(config: Config): Config {
  return { ...quick(config), sms: config.sms && { ...config.sms, lookupLagMs: 500 } };
}
const start = (): Promise<Service> => harness.startService({}, impatient, variables);
/** A call is over before anybody asks what became of it: no test waits longer than that. */
const request = (data: Record<string, unknown>): Promise<string> =>
  harness.bus.request({ type: 'send-sms', data, options: { timeout: 4_000 } });

it('a request becomes one message, and an outcome that names it; the same within the hour is not sent again', async () => {
  await start();
  const data = receiptText({ message: 'Your order is paid: 2 tickets for Zoë 🎫' });
  const { data: outcome } = await harness.bus.outcomeOf(await request(data), 'completed');

  const [text] = twilio.ledger();
  expect(text).toMatchObject({ to: data['to'], from: OUR_NUMBER, body: data['message'] });
  expect(outcome).toMatchObject({
    queue: 'communication',
    attempts: 1,
    result: { messageId: text?.sid, to: data['to'], segments: 1 },
  });
  expect((await harness.bus.outcomeOf(await request(data), 'duplicate')).data.jobId).toBe(outcome.jobId);
  expect(twilio.ledger()).toHaveLength(1);
});

it('the segments of a message are counted as its characters are encoded', async () => {
  await start();
  const messages: [string, number][] = [
    ['x'.repeat(161), 2],
    // Counts twice in GSM-7, and is in it.
    ['€'.repeat(80), 1],
    // Is not, so that all are written in UCS-2.
    ['ł'.repeat(71), 2],
  ];
  const ids = await Promise.all(messages.map(([message]) => request(receiptText({ message }))));

  for (const [index, id] of ids.entries()) {
    const { data: outcome } = await harness.bus.outcomeOf(id, 'completed');
    expect(outcome.result).toMatchObject({ segments: messages[index]?.[1] });
  }
});

it('a message that the rate limit held back is sent once, and is no repeat', async () => {
  const service = await start();
  twilio.fault({ kind: 'rate-limit', retryAfterSeconds: 1 });
  const { data: outcome } = await harness.bus.outcomeOf(await request(receiptText()), 'completed');

  expect(outcome).toMatchObject({ attempts: 1 });
  expect(twilio.ledger()).toHaveLength(1);
  expect(await counterOf(service, 'effects_repeated_total')).toBe(0);
});

describe('when the answer is lost', () => {
  it.each(['receipt', 'code'])('a %s that Twilio took is found, and not sent again', async (template) => {
    const service = await start();
    twilio.fault({ kind: 'lose-answer', match: { method: 'POST' } });
    const { data: outcome } = await harness.bus.outcomeOf(await request(receiptText({ template })), 'completed');

    expect(outcome.result).toMatchObject({ messageId: twilio.ledger()[0]?.sid });
    expect(twilio.ledger()).toHaveLength(1);
    expect(await counterOf(service, 'effects_repeated_total')).toBe(0);
  });

  it('a receipt that Twilio does not know is sent, and counted as one that may come twice', async () => {
    const service = await start();
    twilio.fault({ kind: 'reset-before', match: { method: 'POST' } });
    const { data: outcome } = await harness.bus.outcomeOf(await request(receiptText()), 'completed');

    expect(outcome.result).toMatchObject({ messageId: twilio.ledger()[0]?.sid });
    expect(twilio.ledger()).toHaveLength(1);
    expect(await service.metrics.registry.metrics()).toMatch(
      /effects_repeated_total\{job_type="send-sms",effect="send"\} 1/,
    );
  });

  it('a code that Twilio does not know is never sent again', async () => {
    const service = await start();
    twilio.fault({ kind: 'reset-before', match: { method: 'POST' } });
    const { data: outcome } = await harness.bus.outcomeOf(await request(receiptText({ template: 'code' })), 'failed');

    expect(outcome).toMatchObject({ attempts: 1, error: { code: 'UNKNOWN_DELIVERY', replayable: false } });
    expect(twilio.ledger()).toEqual([]);
    expect(twilio.calls()).toBe(2);
    expect(await counterOf(service, 'effects_repeated_total')).toBe(0);
  });

  it('a code waits for Twilio to answer the question', async () => {
    await start();
    twilio.fault({ kind: 'lose-answer', match: { method: 'POST' } });
    twilio.fault({ kind: 'unavailable', match: { method: 'GET' } });
    const { data: outcome } = await harness.bus.outcomeOf(
      await request(receiptText({ template: 'code' })),
      'completed',
    );

    expect(outcome).toMatchObject({ attempts: 2, result: { messageId: twilio.ledger()[0]?.sid } });
    expect(twilio.ledger()).toHaveLength(1);
  });
});

it('a number that Twilio cannot reach fails at once, and what is said does not repeat it', async () => {
  await start();
  const to = '+15005550001';
  const { data: outcome } = await harness.bus.outcomeOf(await request(receiptText({ to })), 'failed');

  expect(outcome).toMatchObject({ attempts: 1, error: { code: 'INVALID_NUMBER', replayable: false } });
  expect(JSON.stringify(outcome.error)).not.toContain('5005550001');
  expect(twilio.calls()).toBe(1);
});

it('only the configured number is accepted as a sender', async () => {
  await start();
  const other = await request(receiptText({ from: '+15551234567' }));
  const same = await request(receiptText({ from: OUR_NUMBER }));

  expect((await harness.bus.outcomeOf(other, 'failed')).data.error).toMatchObject({ code: 'SENDER_NOT_ALLOWED' });
  await harness.bus.outcomeOf(same, 'completed');
  expect(twilio.ledger()).toMatchObject([{ from: OUR_NUMBER }]);
});

it('without an account at Twilio no message is taken, and the reason is told', async () => {
  await harness.startService({}, quick);
  const { data: outcome } = await harness.bus.outcomeOf(await request(receiptText()), 'rejected');

  expect(outcome.error).toMatchObject({ code: 'TYPE_UNAVAILABLE' });
  expect(JSON.stringify(outcome.error?.details)).toContain('TWILIO_ACCOUNT_SID');
});

it.each(['receipt', 'code'])(
  'a process killed between sending and settling: the %s is found, and not sent again',
  async (template) => {
    const plan = { step: 'call provider', when: 'after', call: 1 } as const;
    const id = await killedBetween(harness, variables, plan, () => request(receiptText({ template })));
    expect(twilio.ledger()).toHaveLength(1);

    const service = await start();
    const { data: outcome } = await harness.bus.outcomeOf(id, 'completed');
    expect(outcome.result).toMatchObject({ messageId: twilio.ledger()[0]?.sid });
    expect(twilio.ledger()).toHaveLength(1);
    expect(await counterOf(service, 'effects_repeated_total')).toBe(0);
    await eventually('it is settled once', () => harness.bus.outcomes.length === 1);
  },
);

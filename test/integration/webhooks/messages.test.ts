/** What SendGrid and Twilio report of messages: told, kept beside the job that sent them, and obeyed by the next mail. */
import { randomUUID } from 'node:crypto';
import type { Service } from '../../../src/service';
import { addressOf, ApiClient } from '../../support/api-client';
import { receiptEmail, wholeEmail } from '../../support/emails';
import { eventually, openHarness, payment, type Harness } from '../../support/harness';
import { quick } from '../../support/money';
import { mailEvent } from '../../support/sandbox/sendgrid/events';
import { startSendGridSandbox, type SendGridSandbox } from '../../support/sandbox/sendgrid/sandbox';
import { API_KEY } from '../../support/sandbox/sendgrid/sending';
import { startTwilioSandbox, type TwilioSandbox } from '../../support/sandbox/twilio/sandbox';
import { twilioVariables } from '../../support/sandbox/twilio/sending';
import { postWebhook } from '../../support/sandbox/webhooks';
import { receiptText } from '../../support/texts';
import { TokenIssuer } from '../../support/tokens';
import { freePort } from '../../../tools/stage/service-variables';
import { endpointOf, hearEvents, sendgridKey, WebhookRows, webhookVariables } from '../../support/webhooks';

let harness: Harness;
let service: Service;
let sendgrid: SendGridSandbox;
let twilio: TwilioSandbox;
let webhooks: WebhookRows;
let heard: Awaited<ReturnType<typeof hearEvents>>;
let api: ApiClient;
const issuer = new TokenIssuer();

beforeAll(async () => {
  [sendgrid, twilio, harness] = await Promise.all([startSendGridSandbox(), startTwilioSandbox(), openHarness()]);
  webhooks = new WebhookRows(harness.environment.pool);
  heard = await hearEvents(harness.bus, 'email.#');
  const port = await freePort();
  service = await harness.startService({}, quick, {
    ...webhookVariables,
    ...twilioVariables(twilio.url),
    PORT: String(port),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    JWT_PUBLIC_KEY: issuer.publicKey,
    SENDGRID_API_KEY: API_KEY,
    SENDGRID_API_BASE: sendgrid.url,
    EMAIL_FROM: 'tickets@example.com',
  });
  api = new ApiClient(addressOf(service));
});
afterAll(async () => {
  await harness?.close();
  await Promise.all([sendgrid?.close(), twilio?.close()]);
});

const ask = (type: string, data: Record<string, unknown>) => harness.bus.request({ type, data });
const sentTo = (to: unknown) => sendgrid.ledger().find((mail) => mail.to === to);
async function mailed(data = receiptEmail()) {
  const { data: outcome } = await harness.bus.outcomeOf(await ask('send-email', data), 'completed');
  const mail = sentTo(data['to']);
  if (!mail) throw new Error('no mail was sent');
  return { jobId: outcome.jobId ?? '', mail };
}
async function report(...events: Record<string, unknown>[]): Promise<void> {
  expect(await postWebhook(endpointOf(service, 'sendgrid'), sendgridKey.sign(events))).toBe(200);
  for (const event of events) await webhooks.untilKept(String(event['sg_event_id']));
}
const timelineOf = async (jobId: string, token = issuer.token('admin')) =>
  api.get(`/jobs/${jobId}/timeline`, { token });

describe('a mail', () => {
  it.each([
    [
      'bounced',
      mailedEvent('bounce', { type: 'bounce', status: '5.1.1', reason: '550 no such user' }),
      'email.bounced',
      false,
    ],
    ['was reported as spam', mailedEvent('spamreport'), 'email.reported_as_spam', false],
    [
      'was dropped since its address had bounced',
      mailedEvent('dropped', { reason: 'Bounced Address' }),
      'email.dropped',
      false,
    ],
    ['had its recipient unsubscribe', mailedEvent('unsubscribe'), 'email.unsubscribed', true],
    ['was blocked this time', mailedEvent('bounce', { type: 'blocked' }), 'email.bounced', true],
    ['was dropped for its content', mailedEvent('dropped', { reason: 'Spam Content' }), 'email.dropped', true],
    ['was delivered', mailedEvent('delivered'), 'email.delivered', true],
  ] as const)('that %s is told of once; receipts to the address go on: %s', async (_, make, name, goesOn) => {
    const { jobId, mail } = await mailed();
    const event = make(mail);
    await report(event, { ...event, sg_event_id: `${String(event['sg_event_id'])}-2` });
    await report(event);

    const told = await eventually('it is told', () => {
      const found = heard.filter(({ data }) => data['jobId'] === jobId);
      return found.length >= 2 ? found : undefined;
    });
    expect(told.map(({ key }) => key)).toEqual([name, name]);
    expect(told[0]?.data).toMatchObject({
      messageId: mail.messageId,
      addressDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(JSON.stringify(told)).not.toContain(mail.to);
    const again = await ask('send-email', receiptEmail({ to: mail.to.toUpperCase(), subject: 'Once more' }));
    const { data: outcome } = await harness.bus.outcomeOf(again, goesOn ? 'completed' : 'failed');
    expect(outcome.error?.code).toBe(goesOn ? undefined : 'SUPPRESSED');
  });

  it('whose recipient unsubscribed is the last that was optional', async () => {
    const { mail } = await mailed();
    await report(mailedEvent('unsubscribe')(mail));
    const reminder = wholeEmail('event-reminder', { to: mail.to });
    const { data } = await harness.bus.outcomeOf(await ask('send-email', reminder), 'failed');
    expect(data.error?.code).toBe('SUPPRESSED');
  });

  it('has in its timeline what became of it, and nobody else sees that', async () => {
    const { jobId, mail } = await mailed();
    const event = mailedEvent('bounce', { type: 'bounce', status: '5.1.1' })(mail);
    await report(event);
    expect(await timelineOf(jobId)).toMatchObject({
      status: 200,
      body: {
        id: jobId,
        timeline: [
          { kind: 'accepted' },
          { kind: 'state', to: 'processing' },
          { kind: 'state', to: 'completed' },
          { kind: 'provider', provider: 'sendgrid', event: 'bounced', code: '5.1.1', eventId: event['sg_event_id'] },
        ],
      },
    });
    expect((await timelineOf(jobId, issuer.token('user'))).status).toBe(404);
    expect((await timelineOf(randomUUID())).status).toBe(404);
  });

  it('leaves no address in what is kept of a report', async () => {
    const { mail } = await mailed();
    const event = mailedEvent('bounce', { reason: `550 <${mail.to}> unknown` })(mail);
    await report(event);
    const { rows } = await harness.environment.pool.query(
      `SELECT row_to_json(j)::text AS job, row_to_json(e)::text AS event FROM critical_jobs j
       JOIN provider_webhook_events e ON e.event_id = j.request_id WHERE j.request_id = $1`,
      [event['sg_event_id']],
    );
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(mail.to);
  });
});

function mailedEvent(event: string, over: Record<string, unknown> = {}) {
  return (mail: Parameters<typeof mailEvent>[1]) => mailEvent(event, mail, over);
}

it.each(['delivered', 'undelivered', 'failed'])(
  'a text message reports to the service that sent it: it was %s, once, though each state comes twice',
  async (status) => {
    const data = receiptText();
    const { data: outcome } = await harness.bus.outcomeOf(await ask('send-sms', data), 'completed');
    const jobId = outcome.jobId ?? '';
    const text = twilio.ledger().find(({ to, body }) => to === data['to'] && body === data['message']);

    for (const state of ['sent', status, status]) await twilio.report(text?.sid ?? '', state);

    const eventId = `${text?.sid}-${status}`;
    await webhooks.untilKept(eventId);
    expect(await webhooks.kept(eventId)).toMatchObject([{ event: status, job_id: jobId }]);
    const { body } = await timelineOf(jobId);
    expect(body).toMatchObject({
      timeline: expect.arrayContaining([expect.objectContaining({ event: status, eventId })]),
    });
  },
);

it('a money job has every state in its timeline', async () => {
  const { data } = await harness.bus.outcomeOf(await ask('payment-process', payment()), 'completed');
  expect(await timelineOf(data.jobId ?? '')).toMatchObject({
    status: 200,
    body: {
      timeline: [
        { kind: 'accepted' },
        { kind: 'state', from: 'pending', to: 'processing', attempt: 0, generation: 1 },
        { kind: 'state', from: 'processing', to: 'completed', attempt: 1, reason: 'DONE' },
      ],
    },
  });
});

/** Stand-ins that report what happens as it happens, as in `npm run dev`: twice, backwards, and to whoever is there. */
import type { Service } from '../../../src/service';
import { receiptEmail } from '../../support/emails';
import { eventually, openHarness, payment, type Harness } from '../../support/harness';
import { quick } from '../../support/money';
import { startSendGridSandbox, type SendGridSandbox } from '../../support/sandbox/sendgrid/sandbox';
import { API_KEY } from '../../support/sandbox/sendgrid/sending';
import { startTwilioSandbox, type TwilioSandbox } from '../../support/sandbox/twilio/sandbox';
import { twilioVariables } from '../../support/sandbox/twilio/sending';
import { receiptText } from '../../support/texts';
import { freePort } from '../../../tools/stage/service-variables';
import {
  endpointOf,
  hearEvents,
  sendgridKey,
  STRIPE_WEBHOOK_SECRET,
  WebhookRows,
  webhookVariables,
} from '../../support/webhooks';

let harness: Harness;
let service: Service;
let sendgrid: SendGridSandbox;
let twilio: TwilioSandbox;

beforeAll(async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/api/v1/queue/provider-webhooks/sendgrid`;
  sendgrid = await startSendGridSandbox({ webhooks: { url, key: sendgridKey } });
  twilio = await startTwilioSandbox({ delivers: true });
  harness = await openHarness();
  service = await harness.startService({}, quick, {
    ...webhookVariables,
    ...twilioVariables(twilio.url),
    PORT: String(port),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    SENDGRID_API_KEY: API_KEY,
    SENDGRID_API_BASE: sendgrid.url,
    EMAIL_FROM: 'tickets@example.com',
  });
  harness.stripe.events.sendTo({ url: endpointOf(service, 'stripe'), secret: STRIPE_WEBHOOK_SECRET });
});
afterAll(async () => {
  await harness?.close();
  await Promise.all([sendgrid?.close(), twilio?.close()]);
});

it('each payment, mail and text message is told of once', async () => {
  const webhooks = new WebhookRows(harness.environment.pool);
  const heard = await hearEvents(harness.bus, '#');
  const bounced = receiptEmail({ to: 'bounces@example.com' });
  const requests = {
    payment: await harness.bus.request({ type: 'payment-process', data: payment() }),
    mail: await harness.bus.request({ type: 'send-email', data: receiptEmail() }),
    bounced: await harness.bus.request({ type: 'send-email', data: bounced }),
    text: await harness.bus.request({ type: 'send-sms', data: receiptText() }),
  };
  const jobOf = async (id: string) => (await harness.bus.outcomeOf(id, 'completed')).data.jobId;
  const text = await jobOf(requests.text);
  const wanted = new Map([
    ['payment.succeeded', await jobOf(requests.payment)],
    ['email.delivered', await jobOf(requests.mail)],
    ['email.bounced', await jobOf(requests.bounced)],
  ]);

  await webhooks.untilKept(`${twilio.ledger()[0]?.sid}-delivered`);
  const told = await eventually('all is told', () => (heard.length >= wanted.size ? heard : undefined));
  await eventually('all reports are taken in', async () => (await webhooks.open()) === 0);

  expect(told).toHaveLength(wanted.size);
  expect(new Map(told.map(({ key, data }) => [key, data['transactionId'] ?? data['jobId']]))).toEqual(wanted);
  expect(await webhooks.kept(`${twilio.ledger()[0]?.sid}-delivered`)).toMatchObject([{ job_id: text }]);
  const again = await harness.bus.request({ type: 'send-email', data: { ...bounced, to: 'Bounces@example.com' } });
  expect((await harness.bus.outcomeOf(again, 'failed')).data.error?.code).toBe('SUPPRESSED');
});

/** Who gets in by the endpoints of providers, and what is kept of it. */
import { randomUUID } from 'node:crypto';
import type { Service } from '../../../src/service';
import { addressOf, ApiClient } from '../../support/api-client';
import { around } from '../../support/around';
import { counterOf } from '../../support/counters';
import { eventually, jobRequestEvent, openHarness, type Harness } from '../../support/harness';
import { quick } from '../../support/money';
import { EventKey, mailEvent } from '../../support/sandbox/sendgrid/events';
import { sign } from '../../support/sandbox/stripe/events';
import { statusCallback } from '../../support/sandbox/twilio/callback';
import { postWebhook, type Webhook } from '../../support/sandbox/webhooks';
import { TokenIssuer } from '../../support/tokens';
import {
  endpointOf,
  OTHER_STRIPE_SECRET,
  PUBLIC_URL,
  sendgridKey,
  STRIPE_WEBHOOK_SECRET,
  WebhookRows,
  webhookVariables,
} from '../../support/webhooks';

type Provider = Parameters<typeof endpointOf>[1];

let harness: Harness;
let service: Service;
let webhooks: WebhookRows;
const issuer = new TokenIssuer();
/** Claims that were made and whose answer is to be lost. */
let losing = 0;

beforeAll(async () => {
  harness = await openHarness();
  webhooks = new WebhookRows(harness.environment.pool);
  const decorate = around({
    claim: async (run) => {
      const answer = await run();
      if (losing > 0) {
        losing -= 1;
        throw new Error('the answer to the claim was lost');
      }
      return answer;
    },
  });
  const variables = { ...webhookVariables, JWT_PUBLIC_KEY: issuer.publicKey };
  service = await harness.startService({ decorate }, quick, variables);
});
afterAll(() => harness?.close());

const stripeEvent = (over: object = {}) => ({
  id: `evt_${randomUUID()}`,
  object: 'event',
  type: 'transfer.created',
  created: 1_767_225_600,
  data: { object: { id: 'tr_nobodys', object: 'transfer' } },
  ...over,
});
const mail = () => ({
  to: `guest-${randomUUID()}@example.com`,
  messageId: randomUUID(),
  jobId: undefined,
  category: 'test',
});
const TWILIO = `${PUBLIC_URL}/api/v1/queue/provider-webhooks/twilio`;
const text = (over: Record<string, string> = {}) => ({
  MessageSid: `SM${randomUUID().replaceAll('-', '')}`,
  MessageStatus: 'delivered',
  To: '+15550100000',
  ...over,
});

const send = (provider: Provider, webhook: Webhook): Promise<number> =>
  postWebhook(endpointOf(service, provider), webhook);
const tampered = ({ body, headers }: Webhook): Webhook => ({
  headers,
  body: body.replace(/deliver|transfer/, 'DELIVER'),
});
const unsigned = ({ body, headers }: Webhook): Webhook => ({
  body,
  headers: { 'content-type': headers['content-type'] ?? '' },
});

const HOUR_S = 3_600;
const good: Record<Provider, () => Webhook> = {
  stripe: () => sign(stripeEvent(), STRIPE_WEBHOOK_SECRET),
  sendgrid: () => sendgridKey.sign([mailEvent('delivered', mail())]),
  twilio: () => statusCallback(TWILIO, text()),
};

it.each([
  ['stripe', 'now', good.stripe],
  ['stripe', 'by the secret that comes next', () => sign(stripeEvent(), OTHER_STRIPE_SECRET)],
  ['stripe', 'four minutes ago', () => sign(stripeEvent(), STRIPE_WEBHOOK_SECRET, 240)],
  ['sendgrid', 'now', good.sendgrid],
  [
    'sendgrid',
    'yesterday, when it was first tried',
    () => sendgridKey.sign([mailEvent('delivered', mail())], 23 * HOUR_S),
  ],
  ['twilio', 'for the address that it calls', good.twilio],
] as const)('what %s signed %s is taken', async (provider, _, webhook) => {
  const before = await webhooks.taken();
  expect(await send(provider, webhook())).toBe(200);
  expect(await webhooks.taken()).toBe(before + 1);
});

it.each([
  ['stripe', 'nobody signed', () => unsigned(good.stripe())],
  ['stripe', 'was changed on the way', () => tampered(good.stripe())],
  ['stripe', 'was signed by another secret', () => sign(stripeEvent(), 'whsec_of_others')],
  ['stripe', 'was signed six minutes ago', () => sign(stripeEvent(), STRIPE_WEBHOOK_SECRET, 360)],
  ['sendgrid', 'nobody signed', () => unsigned(good.sendgrid())],
  ['sendgrid', 'was changed on the way', () => tampered(good.sendgrid())],
  ['sendgrid', 'was signed by another key', () => new EventKey().sign([mailEvent('delivered', mail())])],
  ['sendgrid', 'was signed two days ago', () => sendgridKey.sign([mailEvent('delivered', mail())], 48 * HOUR_S)],
  ['sendgrid', 'will be signed in an hour', () => sendgridKey.sign([mailEvent('delivered', mail())], -HOUR_S)],
  ['twilio', 'nobody signed', () => unsigned(good.twilio())],
  ['twilio', 'was changed on the way', () => tampered(good.twilio())],
  ['twilio', 'was signed by another token', () => statusCallback(TWILIO, text(), 'another-token')],
  ['twilio', 'was signed for another address', () => statusCallback('https://elsewhere.example.com/', text())],
] as const)('of %s what %s is refused, counted and not kept', async (provider, _, webhook) => {
  const before = await webhooks.taken();
  const forged = { provider, outcome: 'forged' };
  const counted = await counterOf(service, 'provider_webhook_requests_total', forged);

  expect(await send(provider, webhook())).toBe(401);

  expect(await webhooks.taken()).toBe(before);
  expect(await counterOf(service, 'provider_webhook_requests_total', forged)).toBe(counted + 1);
});

it('is told why, in a form like that of every other refusal', async () => {
  const { status, headers, body } = await new ApiClient(addressOf(service)).post('/provider-webhooks/stripe', {
    raw: '{}',
  });
  expect({ status, body }).toMatchObject({ status: 401, body: { code: 'SIGNATURE_INVALID' } });
  expect(headers.get('www-authenticate')).toBe('Signature');
});

it.each([
  ['stripe', () => sign({ padding: 'x'.repeat(1_048_577) }, STRIPE_WEBHOOK_SECRET)],
  ['sendgrid', () => sendgridKey.sign([{ padding: 'x'.repeat(1_048_577) }])],
] as const)('more than 1 MiB of %s is refused before it is looked at', async (provider, webhook) => {
  expect(await send(provider, webhook())).toBe(413);
});

it.each([
  ['stripe', () => sign('no event', STRIPE_WEBHOOK_SECRET), 400],
  ['stripe', () => sign(stripeEvent({ type: 'customer.created' }), STRIPE_WEBHOOK_SECRET), 200],
  ['sendgrid', () => sendgridKey.sign({ no: 'list' }), 400],
  ['sendgrid', () => sendgridKey.sign([]), 200],
  ['twilio', () => statusCallback(TWILIO, text({ MessageStatus: 'sent' })), 200],
] as const)('what %s signed and nobody has a use for is not kept', async (provider, webhook, status) => {
  const before = await webhooks.taken();
  expect(await send(provider, webhook())).toBe(status);
  expect(await webhooks.taken()).toBe(before);
});

it('of a batch each event is taken by itself: one that is not in a known form keeps no other', async () => {
  const before = await webhooks.taken();
  const events = [
    mailEvent('delivered', mail()),
    { event: 'bounce', email: 'no address', timestamp: 'never' },
    7,
    mailEvent('open', mail()),
    mailEvent('bounce', mail(), { sg_event_id: 'with a space' }),
    mailEvent('bounce', mail()),
  ];
  const unreadable = { provider: 'sendgrid', outcome: 'unreadable' };
  const counted = await counterOf(service, 'provider_webhook_events_total', unreadable);
  expect(await send('sendgrid', sendgridKey.sign(events))).toBe(200);
  expect(await webhooks.taken()).toBe(before + 2);
  expect(await counterOf(service, 'provider_webhook_events_total', unreadable)).toBe(counted + 3);
});

describe('the same event again', () => {
  it.each([
    ['stripe', () => sign(stripeEvent(), STRIPE_WEBHOOK_SECRET)],
    ['sendgrid', () => sendgridKey.sign([mailEvent('delivered', mail())])],
    ['twilio', () => statusCallback(TWILIO, text())],
  ] as const)('of %s is taken once, however often it comes', async (provider, make) => {
    const before = await webhooks.taken();
    const webhook = make();
    const statuses = await Promise.all([1, 2, 3, 4].map(() => send(provider, webhook)));
    expect([...statuses, await send(provider, webhook)]).toEqual([200, 200, 200, 200, 200]);
    expect(await webhooks.taken()).toBe(before + 1);
  });

  it('is taken once when nobody learnt that it had been taken: the provider was told nothing, and sent it again', async () => {
    const before = await webhooks.taken();
    const webhook = sign(stripeEvent(), STRIPE_WEBHOOK_SECRET);
    losing = 1;
    expect(await send('stripe', webhook)).toBe(503);
    expect(await send('stripe', webhook)).toBe(200);
    expect(await webhooks.taken()).toBe(before + 1);
  });

  it('with other content under its id is answered, and not believed', async () => {
    const before = await webhooks.taken();
    const id = `evt_${randomUUID()}`;
    const other = stripeEvent({ id, data: { object: { id: 'tr_other', object: 'transfer' } } });
    expect(await send('stripe', sign(stripeEvent({ id }), STRIPE_WEBHOOK_SECRET))).toBe(200);
    expect(await send('stripe', sign(other, STRIPE_WEBHOOK_SECRET))).toBe(200);
    expect(await webhooks.taken()).toBe(before + 1);
  });
});

describe('nobody else asks for what only webhooks do', () => {
  const data = {
    provider: 'twilio',
    eventId: 'SM1-delivered',
    event: 'delivered',
    objectId: 'SM1',
  };

  it('by a message', async () => {
    const before = await webhooks.taken();
    const event = jobRequestEvent({ type: 'webhook-process', data });
    await harness.bus.publish('jobs.requests', 'money.webhook-process', JSON.stringify(event), { messageId: event.id });
    const { data: refused } = await harness.bus.outcomeOf(event.id, 'rejected');
    expect(refused.error).toMatchObject({ code: 'INVALID_REQUEST', details: [{ path: 'data.type' }] });
    expect(await webhooks.taken()).toBe(before);
  });

  it.each(['service', 'admin'] as const)('by HTTP, as %s', async (role) => {
    const api = new ApiClient(addressOf(service));
    const call = { token: issuer.token(role), json: { type: 'webhook-process', data } };
    expect(await api.post('/jobs', call)).toMatchObject({ status: 403, body: { code: 'TYPE_NOT_ALLOWED' } });
  });
});

describe('a provider whose webhooks are not configured', () => {
  it.each(['stripe', 'sendgrid', 'twilio'] as const)('is told so: %s', async (provider) => {
    const bare = await harness.startService({}, quick, { ROLES: 'api', JWT_PUBLIC_KEY: issuer.publicKey });
    expect(await postWebhook(endpointOf(bare, provider), good[provider]())).toBe(503);
    const { body } = await new ApiClient(addressOf(bare)).get('/health/details', { token: issuer.token('monitoring') });
    expect(body).toMatchObject({ providerWebhooks: { [provider]: expect.stringContaining('is not set') } });
  });
});

it('a process that is ready takes them all, and says so', async () => {
  const api = new ApiClient(addressOf(service));
  const taken = { stripe: 'taken', sendgrid: 'taken', twilio: 'taken' };
  await eventually('details', async () => {
    const { body } = await api.get('/health/details', { token: issuer.token('monitoring') });
    return JSON.stringify(body).includes(JSON.stringify(taken));
  });
});

/** Whoever has subscribed is told of outcomes: signed, once for each, and until it says that it wants no more. */
import { randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { addressOf, ApiClient } from '../../support/api-client';
import { eventually, openHarness, type Harness } from '../../support/harness';
import { quick } from '../../support/money';
import { certificate } from '../../support/sandbox/http';
import { startSubscriber, type Subscriber } from '../../support/sandbox/subscriber/sandbox';
import { TokenIssuer } from '../../support/tokens';

let harness: Harness;
let subscriber: Subscriber;
let api: ApiClient;
const issuer = new TokenIssuer();
const shop = () => issuer.token('service', { id: 'shop' });
const made = z.object({ subscriptionId: z.uuid(), secret: z.string() });

beforeEach(async () => {
  [subscriber, harness] = await Promise.all([startSubscriber(), openHarness()]);
  const service = await harness.startService({}, quick, {
    JWT_PUBLIC_KEY: issuer.publicKey,
    WEBHOOK_SIGNING_SECRET: 'a secret that is only good for tests, at least 32 characters',
    OUTBOUND_ALLOW: '127.0.0.1/32',
    OUTBOUND_CA: certificate,
  });
  api = new ApiClient(addressOf(service));
});
afterEach(async () => {
  await harness?.close();
  await subscriber?.close();
});

async function subscribe(json: Record<string, unknown> = {}, path = '/hook'): Promise<z.infer<typeof made>> {
  const { status, body } = await api.post('/webhook-subscriptions', {
    token: shop(),
    json: { url: `${subscriber.url}${path}`, types: ['canary-money'], outcomes: ['completed'], ...json },
  });
  expect(status).toBe(201);
  const subscription = made.parse(body);
  subscriber.secret = subscription.secret;
  return subscription;
}

/** Asks for a canary until the subscription is known to the whole service; answers with the last one's job. */
async function toldCanary(type = 'canary-money'): Promise<string> {
  const known = subscriber.calls();
  const asked: string[] = [];
  await eventually('the subscriber is called', async () => {
    asked.push(await harness.bus.request({ type, data: { n: asked.length, note: randomUUID() } }));
    const { data } = await harness.bus.outcomeOf(asked.at(-1) ?? '', 'completed');
    return subscriber.calls() > known && data.jobId;
  });
  return asked.at(-1) ?? '';
}

async function log(subscriptionId: string): Promise<Record<string, unknown>[]> {
  const { body } = await api.get(`/webhook-subscriptions/${subscriptionId}/deliveries`, { token: shop() });
  return z.object({ deliveries: z.array(z.record(z.string(), z.unknown())) }).parse(body).deliveries;
}

it('an outcome is told as the bus has it, once, and what is not asked for is not told', async () => {
  const { subscriptionId } = await subscribe();
  await toldCanary();
  await harness.bus.outcomeOf(await harness.bus.request({ type: 'canary-background', data: { n: 1 } }), 'completed');

  await eventually('all is delivered', async () => {
    const deliveries = await log(subscriptionId);
    return deliveries.length > 0 && deliveries.every(({ state }) => state === 'delivered');
  });
  const told = subscriber.ledger();
  for (const { id, event } of told) {
    expect(event).toMatchObject({ id, type: 'com.tickettoken.job.completed.v1', data: { type: 'canary-money' } });
    expect(harness.bus.outcomes.map((outcome) => outcome.id)).toContain(id);
  }
  expect(new Set(told.map(({ id }) => id)).size).toBe(told.length);
  expect(await log(subscriptionId)).toHaveLength(told.length);
  expect((await log(subscriptionId))[0]).toMatchObject({
    jobType: 'canary-money',
    outcome: 'completed',
    attempts: 1,
    lastAnswer: 'HTTP_204',
  });
  const { rows } = await harness.environment.pool.query('SELECT 1 FROM webhook_deliveries WHERE body IS NOT NULL');
  expect(rows).toEqual([]);
});

it('a changed secret signs from then on, and for a day the last one as well', async () => {
  const { subscriptionId, secret } = await subscribe();
  await toldCanary();
  const { body } = await api.post(`/webhook-subscriptions/${subscriptionId}/secret`, { token: shop() });
  const changed = made.extend({ previousSecretUntil: z.iso.datetime() }).parse(body);
  expect(changed.secret).not.toBe(secret);
  expect(new Date(changed.previousSecretUntil).getTime()).toBeGreaterThan(Date.now());

  await toldCanary();
  subscriber.secret = changed.secret;
  await toldCanary();
  await eventually('both are good', () => subscriber.ledger().filter(({ signatures }) => signatures === 2).length >= 2);
});

it('a subscriber that wants no more is left alone, and its subscription says so', async () => {
  const { subscriptionId } = await subscribe({}, '/gone');
  await toldCanary();

  await eventually('the subscription is over', async () => {
    const { body } = await api.get('/webhook-subscriptions', { token: shop() });
    expect(JSON.stringify(body)).not.toContain('whsec_');
    return z
      .object({ subscriptions: z.array(z.object({ subscriptionId: z.uuid(), disabledReason: z.string() })) })
      .safeParse(body).success;
  });
  expect(
    (await log(subscriptionId)).some(({ state, lastAnswer }) => state === 'failed' && lastAnswer === 'SUBSCRIBER_GONE'),
  ).toBe(true);
});

it('a call that was not taken is made again later, by the rule of its type', async () => {
  const { subscriptionId } = await subscribe();
  subscriber.fault({ kind: 'unavailable', times: 100 });
  await toldCanary();

  const delivery = await eventually('the attempt is noted', async () =>
    (await log(subscriptionId)).find(({ attempts }) => attempts === 1),
  );
  expect(delivery).toMatchObject({ state: 'pending', lastAnswer: 'HTTP_503' });
  const job = await eventually('its job waits', async () => {
    const keys = await harness.environment.lowerRedis.communication.keys(
      `${harness.environment.variables['QUEUE_PREFIX']}:*:job:*`,
    );
    const id = keys[0]?.slice(-36);
    const { body } = await api.get(`/jobs/${id ?? randomUUID()}`, { token: issuer.token('admin', {}) });
    return z
      .object({
        type: z.literal('webhook-deliver'),
        state: z.literal('delayed'),
        attempts: z.int(),
        maxAttempts: z.int(),
        runAt: z.iso.datetime(),
      })
      .safeParse(body).data;
  });
  expect(job).toMatchObject({ attempts: 1, maxAttempts: 12 });
});

it('nobody sees, changes or ends the subscription of another service', async () => {
  const { subscriptionId } = await subscribe();
  const stranger = { token: issuer.token('service', { id: 'stranger' }) };
  const path = `/webhook-subscriptions/${subscriptionId}`;

  expect((await api.get('/webhook-subscriptions', stranger)).body).toEqual({ subscriptions: [] });
  expect((await api.get(`${path}/deliveries`, stranger)).body).toEqual({ deliveries: [] });
  expect((await api.post(`${path}/secret`, stranger)).status).toBe(404);
  expect((await api.call('DELETE', path, stranger)).status).toBe(404);
  expect((await api.call('DELETE', path, { token: issuer.token('admin', {}) })).status).toBe(204);
  expect((await api.call('DELETE', path, { token: shop() })).status).toBe(404);
});

it('the secret is nowhere in the database', async () => {
  const { secret } = await subscribe();
  expect(() => new Webhook(secret)).not.toThrow();
  const { rows } = await harness.environment.pool.query('SELECT * FROM webhook_subscriptions');
  expect(JSON.stringify(rows)).not.toContain(secret.slice('whsec_'.length));
});

it.each([
  ['without TLS', { url: 'http://shop.example.com/hook' }, 'url'],
  ['with a password', { url: 'https://me:secret@shop.example.com/hook' }, 'url'],
  ['to an unknown type', { types: ['canary'] }, 'types'],
  ['to its own calls', { types: ['webhook-deliver'] }, 'types'],
  ['to an unknown outcome', { outcomes: ['done'] }, 'outcomes'],
])('a subscription %s is refused', async (_, over, place) => {
  const json = { url: 'https://shop.example.com/hook', ...over };
  const { status, body } = await api.post('/webhook-subscriptions', { token: shop(), json });
  expect(status).toBe(400);
  expect(JSON.stringify(body)).toContain(place);
});

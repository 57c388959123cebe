/** Holds the sandbox and the adapter to what Stripe itself publishes: its OpenAPI document and its fixtures. */
import Stripe from 'stripe';
import { z } from 'zod';
import { createStripeAdapter } from '../../src/providers/stripe/adapter';
import { parsePaymentIntent } from '../../src/providers/stripe/payment-intent';
import { readProviderSpecs } from '../support/sandbox/provider-specs';
import { effectCall, chargeRequest, post, SECRET_KEY } from '../support/sandbox/stripe/charging';
import { startStripeSandbox, type StripeExchange, type StripeSandbox } from '../support/sandbox/stripe/sandbox';
import { StripeSpec } from '../support/sandbox/stripe/spec';

const files = readProviderSpecs('stripe/stripe-trimmed.json', 'stripe/fixtures3.json');
const spec = files && new StripeSpec(files['stripe/stripe-trimmed.json']);
const fixtures = z
  .object({ resources: z.object({ payment_intent: z.record(z.string(), z.unknown()) }) })
  .optional()
  .parse(files?.['stripe/fixtures3.json']);

const CREATE = '/v1/payment_intents';
const CARDS = [
  'pm_card_visa',
  'pm_card_chargeDeclined',
  'pm_card_chargeDeclinedInsufficientFunds',
  'pm_card_chargeDeclinedExpiredCard',
  'pm_card_authenticationRequired',
  'pm_card_unheard_of',
];

/** What changed in Stripe's API after the document was written (early 2023): the default way to capture got a name. */
const withoutNewer = (complaints: string[]) =>
  complaints.filter((complaint) => !complaint.includes('/capture_method '));

let sandbox: StripeSandbox;
let exchanges: StripeExchange[];
beforeEach(async () => {
  exchanges = [];
  sandbox = await startStripeSandbox({ onExchange: (exchange) => exchanges.push(exchange) });
});
afterEach(() => sandbox.close());

(spec ? describe : describe.skip)("Stripe's OpenAPI document", () => {
  // Only run with the document at hand; without it the tests of this block are skipped.
  const stripeSpec = spec ?? new StripeSpec({ paths: {}, components: { schemas: {} } });

  it.each(CARDS)('knows what the adapter asks and the sandbox answers for %s', async (paymentMethod) => {
    const stripe = createStripeAdapter({ secretKey: SECRET_KEY, apiBase: sandbox.url });
    await stripe.charge(chargeRequest({ paymentMethod, metadata: { order_id: '7' } }), effectCall('key-1'));

    expect(exchanges).toHaveLength(1);
    for (const { request, reply } of exchanges) {
      if (typeof reply === 'string') throw new Error(`no answer: ${reply}`);
      expect(stripeSpec.checkRequest('post', CREATE, request.body)).toEqual([]);
      expect(withoutNewer(stripeSpec.checkResponse('post', CREATE, reply.status, reply.body))).toEqual([]);
    }
  });

  it('knows each error that comes without a fault of the request', async () => {
    for (const kind of ['rate-limit', 'unavailable', 'fail-before-effect'] as const) sandbox.fault({ kind });
    const form = { amount: '500', currency: 'usd' };
    const failures = [];
    for (let index = 0; index < 3; index += 1) failures.push(await post(sandbox.url, CREATE, form));
    await post(sandbox.url, CREATE, form, 'key-1');
    failures.push(await post(sandbox.url, CREATE, { ...form, amount: '600' }, 'key-1'));
    const slow = sandbox.fault({ kind: 'slow' });
    const first = post(sandbox.url, CREATE, form, 'key-2');
    await slow.reached;
    failures.push(await post(sandbox.url, CREATE, form, 'key-2'));
    slow.release();
    await first;

    expect(failures.map(({ status }) => status)).toEqual([429, 503, 500, 400, 409]);
    for (const { body } of failures) expect(stripeSpec.checkObject('error', body)).toEqual([]);
  });

  it('agrees with every other answer of the sandbox', async () => {
    const created = await post(sandbox.url, CREATE, { amount: '500', currency: 'usd' });
    const { id } = z.object({ id: z.string() }).parse(created.body);
    const one = `${CREATE}/{intent}`;
    const confirmed = await post(sandbox.url, `${CREATE}/${id}/confirm`, {
      payment_method: 'pm_card_visa',
      return_url: 'https://example.com',
    });
    const again = await post(sandbox.url, `${CREATE}/${id}/confirm`, {});
    const other = await post(sandbox.url, CREATE, { amount: '500', currency: 'usd' });
    const otherId = z.object({ id: z.string() }).parse(other.body).id;
    const canceled = await post(sandbox.url, `${CREATE}/${otherId}/cancel`, { cancellation_reason: 'duplicate' });

    expect([created, confirmed, again, other, canceled].map(({ status }) => status)).toEqual([200, 200, 400, 200, 200]);
    expect(withoutNewer(stripeSpec.checkResponse('post', CREATE, 200, created.body))).toEqual([]);
    expect(withoutNewer(stripeSpec.checkResponse('post', `${one}/confirm`, 200, confirmed.body))).toEqual([]);
    expect(withoutNewer(stripeSpec.checkResponse('post', `${one}/confirm`, 400, again.body))).toEqual([]);
    expect(withoutNewer(stripeSpec.checkResponse('post', `${one}/cancel`, 200, canceled.body))).toEqual([]);

    const sdk = new Stripe(SECRET_KEY, {
      host: '127.0.0.1',
      port: new URL(sandbox.url).port,
      protocol: 'http',
      telemetry: false,
    });
    const found = await sdk.paymentIntents.search({ query: "status:'succeeded'" });
    expect(found.data.map((intent) => intent.id)).toEqual([id]);
    expect(withoutNewer(stripeSpec.checkObject('payment_intent', found.data[0]))).toEqual([]);
    expect(withoutNewer(stripeSpec.checkObject('payment_intent', await sdk.paymentIntents.retrieve(otherId)))).toEqual(
      [],
    );
  });

  it.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['no currency', { amount: '500' }],
    ['no amount', { currency: 'usd' }],
    ['enough', { amount: '500', currency: 'usd' }],
    ['an unknown name', { amount: '500', currency: 'usd', colour: 'red' }],
    ['text for a number', { amount: 'five', currency: 'usd' }],
    ['a fraction', { amount: '5.5', currency: 'usd' }],
    ['text for a truth', { amount: '500', currency: 'usd', confirm: 'perhaps' }],
    ['a hash for text', { amount: '500', currency: 'usd', 'description[a]': 'b' }],
    ['text for a hash', { amount: '500', currency: 'usd', automatic_payment_methods: 'enabled' }],
    [
      'a hash without its required entry',
      { amount: '500', currency: 'usd', 'automatic_payment_methods[allow_redirects]': 'never' },
    ],
    ['metadata', { amount: '500', currency: 'usd', 'metadata[a]': 'b' }],
    ['nested metadata', { amount: '500', currency: 'usd', 'metadata[a][b]': 'c' }],
    [
      'everything the sandbox reads',
      {
        amount: '500',
        currency: 'usd',
        confirm: 'true',
        description: 'Two tickets',
        payment_method: 'pm_card_visa',
        receipt_email: 'jane@example.com',
        return_url: 'https://example.com',
        'automatic_payment_methods[enabled]': 'true',
        'automatic_payment_methods[allow_redirects]': 'always',
        'metadata[order_id]': '7',
      },
    ],
  ])('and the sandbox are equally strict about %s', async (_, form) => {
    const complaints = stripeSpec.checkRequest('post', CREATE, new URLSearchParams(form).toString());
    const { status } = await post(sandbox.url, CREATE, form);

    expect(status === 200).toBe(complaints.length === 0);
  });

  it.each(['duplicate', 'fraudulent', 'requested_by_customer', 'abandoned', 'boredom'])(
    'and the sandbox agree on the cancellation reason %s',
    async (reason) => {
      const created = await post(sandbox.url, CREATE, { amount: '500', currency: 'usd' });
      const { id } = z.object({ id: z.string() }).parse(created.body);
      const { status } = await post(sandbox.url, `${CREATE}/${id}/cancel`, { cancellation_reason: reason });
      const complaints = stripeSpec.checkRequest('post', `${CREATE}/{intent}/cancel`, `cancellation_reason=${reason}`);

      expect(status === 200).toBe(complaints.length === 0);
    },
  );
});

(fixtures ? describe : describe.skip)("Stripe's fixture of a PaymentIntent", () => {
  const fixture = fixtures?.resources.payment_intent ?? {};

  it('has the fields of the sandbox, and the same kind of value in each', async () => {
    const { body } = await post(sandbox.url, CREATE, { amount: '500', currency: 'usd' });
    const ours = z.record(z.string(), z.unknown()).parse(body);
    const kind = (value: unknown) => (Array.isArray(value) ? 'array' : typeof value);
    const different = Object.keys(fixture).filter(
      (name) => ours[name] !== null && fixture[name] !== null && kind(ours[name]) !== kind(fixture[name]),
    );

    expect(Object.keys(fixture).filter((name) => !(name in ours))).toEqual([]);
    expect(different).toEqual([]);
    // These two came with the API version of the SDK, after the fixtures.
    expect(Object.keys(ours).filter((name) => !(name in fixture))).toEqual([
      'allowed_payment_method_types',
      'payment_record',
    ]);
  });

  it('is read by the adapter', () => {
    expect(parsePaymentIntent(fixture)).toMatchObject({ id: fixture['id'], status: 'requires_payment_method' });
  });
});

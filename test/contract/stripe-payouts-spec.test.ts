/** Holds transfers and payouts, of the sandbox and the adapter, to Stripe's OpenAPI document and its fixtures. */
import { z } from 'zod';
import { createStripeAdapter, type Payout, type Transfer } from '../../src/providers/stripe/adapter';
import { readProviderSpecs } from '../support/sandbox/provider-specs';
import { effectCall, payoutRequest, post, SECRET_KEY, transferRequest } from '../support/sandbox/stripe/charging';
import { startStripeSandbox, type StripeExchange, type StripeSandbox } from '../support/sandbox/stripe/sandbox';
import { StripeSpec } from '../support/sandbox/stripe/spec';

const files = readProviderSpecs('stripe/stripe-trimmed.json', 'stripe/fixtures3.json');
const spec = files && new StripeSpec(files['stripe/stripe-trimmed.json']);
const resource = z.record(z.string(), z.unknown());
const fixtures = z
  .object({ resources: z.object({ transfer: resource, payout: resource }) })
  .optional()
  .parse(files?.['stripe/fixtures3.json'])?.resources;

const VENUE = { 'stripe-account': 'acct_venue' };
const TRANSFER = { amount: '500', currency: 'usd', destination: 'acct_venue' };
const PAYOUT = { amount: '500', currency: 'usd', destination: 'ba_venue' };

let sandbox: StripeSandbox;
let exchanges: StripeExchange[];
beforeEach(async () => {
  exchanges = [];
  sandbox = await startStripeSandbox({ onExchange: (exchange) => exchanges.push(exchange) });
  sandbox.setAvailable('acct_venue', 'usd', 100_000);
});
afterEach(() => sandbox.close());

(spec ? describe : describe.skip)("Stripe's OpenAPI document", () => {
  const stripeSpec = spec ?? new StripeSpec({ paths: {}, components: { schemas: {} } });

  it('knows what the adapter asks and the sandbox answers', async () => {
    const stripe = createStripeAdapter({ secretKey: SECRET_KEY, apiBase: sandbox.url });
    const transfer = (key: string, amount: number) =>
      stripe.transfer(transferRequest({ amount }), effectCall<Transfer>(key));
    const payOut = (key: string, changes: object) => stripe.payOut(payoutRequest(changes), effectCall<Payout>(key));
    await transfer('key-1', 5_000);
    await transfer('key-2', 2_000_000_000);
    await stripe.findTransfer('job-3', 'key-1', effectCall('key-1'));
    await payOut('key-3', {});
    await payOut('key-4', { destination: 'ba_closed' });
    await payOut('key-5', { method: 'instant' });
    await payOut('key-6', { method: 'instant', destination: 'card_venue' });
    sandbox.passTime();
    for (const destination of ['ba_venue', 'ba_closed', 'card_venue']) {
      const place = { accountId: 'acct_venue', destination, askedMsAgo: 60_000 };
      await stripe.findPayout(place, 'key-3', effectCall('key-3'));
    }

    expect(exchanges.map(({ reply }) => (typeof reply === 'string' ? reply : reply.status))).toEqual([
      200, 400, 200, 200, 200, 400, 200, 200, 200, 200,
    ]);
    for (const { request, reply } of exchanges) {
      if (typeof reply === 'string') throw new Error(`no answer: ${reply}`);
      const method = request.method === 'POST' ? 'post' : 'get';
      if (method === 'post') expect(stripeSpec.checkRequest('post', request.path, request.body)).toEqual([]);
      expect(stripeSpec.checkResponse(method, request.path, reply.status, reply.body)).toEqual([]);
    }
  });

  it.each<[string, string, Record<string, string>]>([
    ['transfers', 'all there is', TRANSFER],
    ['transfers', 'no destination', { amount: '500', currency: 'usd' }],
    ['transfers', 'no currency', { amount: '500', destination: 'acct_venue' }],
    ['transfers', 'text for a number', { ...TRANSFER, amount: 'five' }],
    ['transfers', 'an unknown name', { ...TRANSFER, colour: 'red' }],
    ['transfers', 'nested metadata', { ...TRANSFER, 'metadata[a][b]': 'c' }],
    ['payouts', 'all there is', { ...PAYOUT, method: 'standard' }],
    ['payouts', 'no amount', { currency: 'usd' }],
    ['payouts', 'no currency', { amount: '500' }],
    ['payouts', 'another method', { ...PAYOUT, method: 'overnight' }],
    ['payouts', 'an unknown name', { ...PAYOUT, colour: 'red' }],
  ])('and the sandbox are equally strict about %s with %s', async (name, _, form) => {
    const path = `/v1/${name}`;
    const complaints = stripeSpec.checkRequest('post', path, new URLSearchParams(form).toString());
    const { status } = await post(sandbox.url, path, form, undefined, name === 'payouts' ? VENUE : {});

    expect(status === 200).toBe(complaints.length === 0);
  });
});

(fixtures ? describe : describe.skip)("Stripe's fixture", () => {
  it.each([
    ['transfer', '/v1/transfers', TRANSFER, {}],
    ['payout', '/v1/payouts', PAYOUT, VENUE],
  ] as const)(
    'of a %s has the fields of the sandbox, and the same kind of value in each',
    async (name, path, form, as) => {
      const { body } = await post(sandbox.url, path, form, undefined, as);
      const [ours, fixture] = [resource.parse(body), fixtures?.[name] ?? {}];
      const different = Object.keys(fixture).filter(
        (field) => ours[field] !== null && fixture[field] !== null && typeof ours[field] !== typeof fixture[field],
      );

      expect(Object.keys(ours).toSorted()).toEqual(Object.keys(fixture).toSorted());
      expect(different).toEqual([]);
    },
  );
});

/** Holds refunds, of the sandbox and the adapter, to Stripe's OpenAPI document and its fixture. */
import { z } from 'zod';
import { createStripeAdapter, type Refund } from '../../src/providers/stripe/adapter';
import { readProviderSpecs } from '../support/sandbox/provider-specs';
import { chargeRequest, effectCall, post, refundRequest, SECRET_KEY } from '../support/sandbox/stripe/charging';
import { startStripeSandbox, type StripeExchange, type StripeSandbox } from '../support/sandbox/stripe/sandbox';
import { StripeSpec } from '../support/sandbox/stripe/spec';

const files = readProviderSpecs('stripe/stripe-trimmed.json', 'stripe/fixtures3.json');
const spec = files && new StripeSpec(files['stripe/stripe-trimmed.json']);
const fixture = z
  .object({ resources: z.object({ refund: z.record(z.string(), z.unknown()) }) })
  .optional()
  .parse(files?.['stripe/fixtures3.json'])?.resources.refund;

const REFUNDS = '/v1/refunds';

let sandbox: StripeSandbox;
let exchanges: StripeExchange[];
let intent: string;
beforeEach(async () => {
  exchanges = [];
  sandbox = await startStripeSandbox({ onExchange: (exchange) => exchanges.push(exchange) });
  const stripe = createStripeAdapter({ secretKey: SECRET_KEY, apiBase: sandbox.url });
  const answer = await stripe.charge(chargeRequest({ paymentMethod: 'pm_card_refundFail' }), effectCall('charge-1'));
  intent = answer.kind === 'done' ? answer.value.paymentIntentId : '';
  exchanges = [];
});
afterEach(() => sandbox.close());

(spec ? describe : describe.skip)("Stripe's OpenAPI document", () => {
  const stripeSpec = spec ?? new StripeSpec({ paths: {}, components: { schemas: {} } });

  it('knows what the adapter asks and the sandbox answers', async () => {
    const stripe = createStripeAdapter({ secretKey: SECRET_KEY, apiBase: sandbox.url });
    const refund = (key: string, amount: number) =>
      stripe.refund(refundRequest(intent, { amount, reason: 'fraudulent' }), effectCall<Refund>(key));
    await refund('key-1', 1000);
    await refund('key-2', 5000);
    await refund('key-3', 4000);
    await refund('key-4', 4000);
    await stripe.allRefunds(intent, effectCall('key-1'));
    sandbox.passTime();
    await stripe.findRefund(intent, 'key-1', effectCall('key-1'));

    expect(exchanges).toHaveLength(6);
    for (const { request, reply } of exchanges) {
      if (typeof reply === 'string') throw new Error(`no answer: ${reply}`);
      const method = request.method === 'POST' ? 'post' : 'get';
      if (method === 'post') expect(stripeSpec.checkRequest('post', REFUNDS, request.body)).toEqual([]);
      expect(stripeSpec.checkResponse(method, REFUNDS, reply.status, reply.body)).toEqual([]);
    }
  });

  it.each<[string, Record<string, string>]>([
    ['an amount', { amount: '500' }],
    ['no amount', {}],
    ['an unknown name', { colour: 'red' }],
    ['text for a number', { amount: 'five' }],
    ['a reason', { reason: 'duplicate' }],
    ['another reason', { reason: 'boredom' }],
    ['metadata', { 'metadata[a]': 'b' }],
    ['nested metadata', { 'metadata[a][b]': 'c' }],
  ])('and the sandbox are equally strict about %s', async (_, changes) => {
    const form = { payment_intent: intent, ...changes };
    const complaints = stripeSpec.checkRequest('post', REFUNDS, new URLSearchParams(form).toString());
    const { status } = await post(sandbox.url, REFUNDS, form);

    expect(status === 200).toBe(complaints.length === 0);
  });
});

(fixture ? describe : describe.skip)("Stripe's fixture of a refund", () => {
  it('has the fields of the sandbox, and the same kind of value in each', async () => {
    const { body } = await post(sandbox.url, REFUNDS, { payment_intent: intent });
    const ours = z.record(z.string(), z.unknown()).parse(body);
    const different = Object.keys(fixture ?? {}).filter(
      (name) => ours[name] !== null && fixture?.[name] !== null && typeof ours[name] !== typeof fixture?.[name],
    );

    expect(Object.keys(ours).toSorted()).toEqual(Object.keys(fixture ?? {}).toSorted());
    expect(different).toEqual([]);
  });
});

/** Holds the sandbox and the adapter to what Square itself publishes: its OpenAPI document. */
import {
  createSquareAdapter,
  type SquareAdapter,
  type SquareCharge,
  type SquareRefund,
} from '../../src/providers/square/adapter';
import { readProviderSpecs } from '../support/sandbox/provider-specs';
import { ACCESS_TOKEN, chargeRequest, post } from '../support/sandbox/square/paying';
import { startSquareSandbox, type SquareExchange, type SquareSandbox } from '../support/sandbox/square/sandbox';
import { SquareSpec } from '../support/sandbox/square/spec';
import { effectCall } from '../support/sandbox/stripe/charging';

const files = readProviderSpecs('square/api.json');

(files ? describe : describe.skip)("Square's OpenAPI document", () => {
  let spec: SquareSpec;
  let sandbox: SquareSandbox;
  let exchanges: SquareExchange[];
  let square: SquareAdapter;
  beforeAll(() => {
    spec = new SquareSpec(files?.['square/api.json']);
  });
  beforeEach(async () => {
    exchanges = [];
    sandbox = await startSquareSandbox({ onExchange: (exchange) => exchanges.push(exchange) });
    square = createSquareAdapter({ accessToken: ACCESS_TOKEN, apiBase: sandbox.url, locationId: 'LMAIN' });
  });
  afterEach(() => sandbox.close());

  /** Every request and answer so far; `METHOD /path` of each. */
  function checkAll(): string[] {
    return exchanges.map(({ request, reply }) => {
      const path = request.path
        .replace(/^\/v2\/payments\/.+/, '/v2/payments/{payment_id}')
        .replace(/^\/v2\/refunds\/.+/, '/v2/refunds/{refund_id}');
      if (typeof reply === 'string') throw new Error(`no answer: ${reply}`);
      expect(spec.checkRequest(request.method, path, request)).toEqual([]);
      expect(spec.checkResponse(request.method, path, reply.body)).toEqual([]);
      return `${request.method} ${path}`;
    });
  }

  it('knows all that the adapter asks and the sandbox answers', async () => {
    const paid = await square.charge(chargeRequest(), effectCall<SquareCharge>('key-1'));
    const paymentId = 'reference' in paid ? (paid.reference ?? '') : '';
    await square.findCharge('key-1', 0, effectCall('key-1'));
    await square.refund({ paymentId, amount: 5000, currency: 'USD' }, effectCall<SquareRefund>('key-2'));
    await square.findRefund('key-2', 0, effectCall('key-2'));
    await square.refund({ paymentId, amount: 1, currency: 'USD' }, effectCall<SquareRefund>('key-3'));
    expect((await square.allRefunds(paymentId, effectCall('key-3'))).kind).toBe('done');

    expect(new Set(checkAll())).toEqual(
      new Set([
        'POST /v2/payments',
        'GET /v2/locations',
        'GET /v2/payments',
        'POST /v2/refunds',
        'GET /v2/refunds',
        'GET /v2/payments/{payment_id}',
        'GET /v2/refunds/{refund_id}',
      ]),
    );
  });

  it('knows the form of every error', async () => {
    for (const kind of ['unauthorized', 'bad-request', 'fail-before-effect', 'rate-limit', 'unavailable'] as const) {
      sandbox.fault({ kind });
      await square.charge(chargeRequest(), effectCall<SquareCharge>('key-1'));
    }
    for (const paymentMethod of ['cnon:card-nonce-declined', 'cnon:card-nonce-already-used', 'cnon:none']) {
      await square.charge(chargeRequest({ paymentMethod }), effectCall<SquareCharge>(paymentMethod));
    }
    expect(checkAll()).toHaveLength(8);
  });

  it.each<[string, object]>([
    ['a payment', {}],
    ['no key', { idempotency_key: undefined }],
    ['an empty key', { idempotency_key: '' }],
    ['a key that is too long', { idempotency_key: 'x'.repeat(46) }],
    ['no source', { source_id: undefined }],
    ['a source that is no text', { source_id: 7 }],
    ['text for a number', { amount_money: { amount: '500', currency: 'USD' } }],
    ['a fraction', { amount_money: { amount: 5.5, currency: 'USD' } }],
    ['an unknown currency', { amount_money: { amount: 500, currency: 'XYZ' } }],
    ['a reference that is too long', { reference_id: 'x'.repeat(41) }],
  ])('and the sandbox are equally strict about %s', async (_, changes) => {
    const sound = {
      idempotency_key: 'k',
      source_id: 'cnon:card-nonce-ok',
      amount_money: { amount: 500, currency: 'USD' },
    };
    const body = JSON.stringify({ ...sound, ...changes });
    const { status } = await post(sandbox.url, '/v2/payments', JSON.parse(body));

    expect(status === 200).toBe(spec.checkRequest('POST', '/v2/payments', { query: '', body }).length === 0);
  });
});

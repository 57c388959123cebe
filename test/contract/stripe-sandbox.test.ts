/** The sandbox itself: what other tests and processes rely on when they use it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { z } from 'zod';
import { post as postTo, SECRET_KEY } from '../support/sandbox/stripe/charging';
import { startStripeSandbox, type StripeSandbox } from '../support/sandbox/stripe/sandbox';

const CREATE = '/v1/payment_intents';
const charging = {
  amount: '500',
  currency: 'usd',
  payment_method: 'pm_card_visa',
  confirm: 'true',
  'automatic_payment_methods[enabled]': 'true',
  'automatic_payment_methods[allow_redirects]': 'never',
};

let sandbox: StripeSandbox;
beforeEach(async () => {
  sandbox = await startStripeSandbox();
});
afterEach(() => sandbox.close());

const post = (path: string, form: Record<string, string>, key?: string) => postTo(sandbox.url, path, form, key);
const charge = (key: string, form: Record<string, string> = {}) => post(CREATE, { ...charging, ...form }, key);
const idOf = (body: unknown) => z.object({ id: z.string() }).parse(body).id;
const errorOf = (body: unknown) => z.object({ error: z.record(z.string(), z.unknown()) }).parse(body).error;

async function get(path: string) {
  const response = await fetch(`${sandbox.url}${path}`, { headers: { authorization: `Bearer ${SECRET_KEY}` } });
  const body: unknown = await response.json();
  return { status: response.status, body };
}

describe('requests are read as strictly as Stripe reads them', () => {
  it.each<[Record<string, string>, object]>([
    [{ colour: 'red' }, { code: 'parameter_unknown', param: 'colour', message: 'Received unknown parameter: colour' }],
    [{ 'automatic_payment_methods[how]': 'x' }, { code: 'parameter_unknown', param: 'automatic_payment_methods[how]' }],
    [{ amount: 'five' }, { code: 'parameter_invalid_integer', param: 'amount', message: 'Invalid integer: five' }],
    [{ amount: '' }, { code: 'parameter_invalid_empty', param: 'amount' }],
    [{ amount: '10' }, { code: 'amount_too_small', param: 'amount' }],
    [{ amount: '100000000' }, { code: 'amount_too_large', param: 'amount' }],
    [{ currency: 'abc' }, { param: 'currency' }],
    [{ confirm: 'yes' }, { param: 'confirm', message: 'Invalid boolean: yes' }],
    [
      { 'automatic_payment_methods[allow_redirects]': 'maybe' },
      { param: 'automatic_payment_methods[allow_redirects]' },
    ],
    [{ payment_method: 'pm_none' }, { code: 'resource_missing', message: "No such PaymentMethod: 'pm_none'" }],
    [{ 'metadata[a][b]': 'c' }, { param: 'metadata[a]' }],
    [{ [`metadata[${'k'.repeat(41)}]`]: 'v' }, { param: `metadata[${'k'.repeat(41)}]` }],
  ])('%j', async (form, error) => {
    const { status, body } = await charge('key-1', form);

    expect(status).toBe(400);
    expect(errorOf(body)).toMatchObject({ type: 'invalid_request_error', ...error });
    expect(sandbox.ledger()).toEqual([]);
  });

  it('a missing parameter, a missing object, an unknown address, a missing key', async () => {
    expect(errorOf((await post(CREATE, { amount: '500' })).body)).toMatchObject({
      code: 'parameter_missing',
      param: 'currency',
      message: 'Missing required param: currency.',
      doc_url: 'https://stripe.com/docs/error-codes/parameter-missing',
    });
    const missing = await get(`${CREATE}/pi_none`);
    expect([missing.status, errorOf(missing.body)['message']]).toEqual([404, "No such payment_intent: 'pi_none'"]);
    for (const unknown of ['/v1/charges', '/v1/payment_intents/pi_1/capture/x', '/v1/payment_intentsx', '/']) {
      const answer = await get(unknown);
      expect([answer.status, errorOf(answer.body)['type']]).toEqual([404, 'invalid_request_error']);
    }
    expect((await fetch(`${sandbox.url}${CREATE}/pi_1`)).status).toBe(401);
  });
});

describe('a PaymentIntent', () => {
  it('is created, confirmed, and then can neither be confirmed nor canceled', async () => {
    const created = await post(CREATE, { amount: '500', currency: 'eur' });
    expect(created.body).toMatchObject({ status: 'requires_payment_method', amount_received: 0, latest_charge: null });
    const id = idOf(created.body);

    const early = await post(`${CREATE}/${id}/confirm`, { return_url: 'https://example.com' });
    expect(errorOf(early.body)).toMatchObject({ code: 'payment_intent_unexpected_state' });
    const redirect = await post(`${CREATE}/${id}/confirm`, { payment_method: 'pm_card_visa' });
    expect(errorOf(redirect.body)['message']).toContain('return_url');

    const form = { payment_method: 'pm_card_visa', return_url: 'https://example.com' };
    const confirmed = await post(`${CREATE}/${id}/confirm`, form, 'key-1');
    expect(confirmed.body).toMatchObject({ status: 'succeeded', amount_received: 500 });
    expect(sandbox.ledger()).toMatchObject([{ paymentIntentId: id, idempotencyKey: 'key-1', currency: 'eur' }]);
    expect((await get(`${CREATE}/${id}`)).body).toEqual(confirmed.body);

    for (const action of ['confirm', 'cancel']) {
      const late = await post(`${CREATE}/${id}/${action}`, {});
      expect([late.status, errorOf(late.body)['code']]).toEqual([400, 'payment_intent_unexpected_state']);
    }
    expect(sandbox.ledger()).toHaveLength(1);
  });

  it('that was declined can be confirmed with another card, or canceled', async () => {
    const declined = await charge('key-1', { payment_method: 'pm_card_chargeDeclined' });
    const error = errorOf(declined.body);
    expect(error).toMatchObject({ type: 'card_error', code: 'card_declined', decline_code: 'generic_decline' });
    const id = idOf(error['payment_intent']);

    const canceled = await post(`${CREATE}/${id}/cancel`, { cancellation_reason: 'abandoned' });
    expect(canceled.body).toMatchObject({ status: 'canceled', cancellation_reason: 'abandoned' });
    expect(sandbox.ledger()).toEqual([]);
  });
});

describe('idempotency keys', () => {
  it('repeat the first answer to the same parameters in any order, and say so', async () => {
    const first = await charge('key-1');
    const second = await post(CREATE, Object.fromEntries(Object.entries(charging).toReversed()), 'key-1');

    expect(second.body).toEqual(first.body);
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(second.headers.get('original-request')).toBe(first.headers.get('request-id'));
  });

  it('belong to one address, and are at most 255 characters long', async () => {
    const { body } = await charge('key-1');
    const other = await post(`${CREATE}/${idOf(body)}/cancel`, {}, 'key-1');

    expect(errorOf(other.body)).toMatchObject({ type: 'idempotency_error' });
    expect((await charge('k'.repeat(256))).status).toBe(400);
    expect(sandbox.ledger()).toHaveLength(1);
  });

  it('keep a refusal that came from carrying the request out', async () => {
    const id = idOf((await charge('key-1')).body);
    await post(`${CREATE}/${id}/cancel`, {}, 'key-2');
    const again = await post(`${CREATE}/${id}/cancel`, {}, 'key-2');

    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([400, 'true']);
  });

  it('charge again once they are forgotten', async () => {
    await charge('key-1');
    sandbox.expireKeys();
    await charge('key-1');

    expect(sandbox.ledger().map(({ idempotencyKey }) => idempotencyKey)).toEqual(['key-1', 'key-1']);
  });
});

describe('the search', () => {
  const search = (query: string, more = '') => get(`${CREATE}/search?query=${encodeURIComponent(query)}${more}`);
  const page = z.object({
    data: z.array(z.object({ id: z.string() })),
    has_more: z.boolean(),
    next_page: z.string().nullable(),
  });

  it('matches metadata and status, joined by AND, page by page', async () => {
    for (const key of ['a', 'b', 'c']) await charge(key, { 'metadata[order]': 'Seven', 'metadata[key]': key });
    await charge('d', { 'metadata[order]': 'seven', payment_method: 'pm_card_authenticationRequired' });

    const first = page.parse((await search(`metadata["order"]:"seven" AND status:'succeeded'`, '&limit=2')).body);
    expect([first.data.length, first.has_more]).toEqual([2, true]);
    const rest = page.parse(
      (await search(`metadata["order"]:"seven" AND status:'succeeded'`, `&limit=2&page=${first.next_page}`)).body,
    );
    expect([rest.data.length, rest.has_more, rest.next_page]).toEqual([1, false, null]);
    expect(page.parse((await search(`metadata['key']:'b'`)).body).data).toHaveLength(1);
  });

  it.each(["colour:'red'", "metadata['a']", "metadata['a']:'b' OR status:'succeeded'", "metadata['a']:'b"])(
    'does not understand %s',
    async (query) => {
      const { status, body } = await search(query);

      expect([status, errorOf(body)['param']]).toEqual([400, 'query']);
    },
  );
});

describe('faults', () => {
  it('hit what they match, as often as they are told', async () => {
    const fault = sandbox.fault({
      kind: 'unavailable',
      match: { metadata: { venue: '7' }, path: CREATE, method: 'POST' },
      times: 2,
    });
    const statuses: number[] = [];
    for (const venue of ['6', '7', '7', '7'])
      statuses.push((await charge(`key-${statuses.length}`, { 'metadata[venue]': venue })).status);

    expect(statuses).toEqual([200, 503, 503, 200]);
    expect(fault.hits()).toBe(2);
    sandbox.fault({ kind: 'unavailable', match: { idempotencyKey: 'key-x' } });
    expect((await charge('key-y')).status).toBe(200);
    expect((await charge('key-x')).status).toBe(503);
  });

  it('strike at random, but the same requests for the same seed', async () => {
    const run = async (seed: number) => {
      const fault = sandbox.fault({ kind: 'rate-limit', probability: 0.5, seed });
      const statuses: number[] = [];
      for (let index = 0; index < 20; index += 1) statuses.push((await charge(`${seed}-${index}`)).status);
      fault.remove();
      return statuses;
    };
    const first = await run(7);
    sandbox.expireKeys();

    expect(await run(7)).toEqual(first);
    expect(await run(8)).not.toEqual(first);
    expect(new Set(first)).toEqual(new Set([200, 429]));
  });

  it('slow holds the effect back for its delay', async () => {
    sandbox.fault({ kind: 'slow', delayMs: 5 });

    expect((await charge('key-1')).status).toBe(200);
    expect(sandbox.ledger()).toHaveLength(1);
  });
});

it('other processes read the ledger and set faults over HTTP', async () => {
  const control = (method: string, path: string, body?: string) =>
    fetch(`${sandbox.url}/_sandbox/${path}`, { method, ...(body === undefined ? {} : { body }) });

  expect((await control('POST', 'faults', '{"kind":"rate-limit","times":2,"retryAfterSeconds":9}')).status).toBe(201);
  expect((await charge('key-1')).headers.get('retry-after')).toBe('9');
  expect((await control('DELETE', 'faults')).status).toBe(200);
  await charge('key-1');
  expect((await control('POST', 'keys/expire')).status).toBe(200);
  await charge('key-1');

  const ledger: unknown = await (await control('GET', 'ledger')).json();
  expect(ledger).toEqual({ charges: sandbox.ledger(), refunds: [], transfers: [], payouts: [], calls: 3 });
  expect(sandbox.ledger()).toMatchObject([{ calls: 3 }, { calls: 3 }]);
  expect((await control('POST', 'faults', '{"kind":"gremlins"}')).status).toBe(400);
  expect((await control('POST', 'faults', 'gremlins')).status).toBe(400);
  expect((await control('GET', 'gremlins')).status).toBe(404);
});

it('runs as a process of its own', async () => {
  const main = path.join(__dirname, '../support/sandbox/main.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', main, '--stripe', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [line] = await once(child.stdout, 'data');
  const { url } = z.object({ provider: z.literal('stripe'), url: z.url() }).parse(JSON.parse(String(line)));

  expect((await postTo(url, CREATE, charging)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

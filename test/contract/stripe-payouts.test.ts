/** Transfers and payouts through the real adapter and SDK against the sandbox: each answer, and what it is for us. */
import {
  createStripeAdapter,
  type Payout,
  type PayoutRequest,
  type StripeAdapter,
  type Transfer,
  type TransferRequest,
} from '../../src/providers/stripe/adapter';
import { effectCall, payoutRequest, SECRET_KEY, transferRequest } from '../support/sandbox/stripe/charging';
import { startStripeSandbox, type StripeSandbox } from '../support/sandbox/stripe/sandbox';

const VENUE = 'acct_venue';
const MINUTE_MS = 60_000;

let sandbox: StripeSandbox;
let stripe: StripeAdapter;

beforeEach(async () => {
  sandbox = await startStripeSandbox();
  stripe = createStripeAdapter({ secretKey: SECRET_KEY, apiBase: sandbox.url });
});
afterEach(() => sandbox.close());

const transfer = (key: string, changes: Partial<TransferRequest> = {}) =>
  stripe.transfer(transferRequest(changes), effectCall<Transfer>(key));
const payOut = (key: string, changes: Partial<PayoutRequest> = {}) =>
  stripe.payOut(payoutRequest(changes), effectCall<Payout>(key));
const findTransfer = (key: string, jobId = 'job-3') => stripe.findTransfer(jobId, key, effectCall(key));
const findPayout = (key: string, askedMsAgo = MINUTE_MS) =>
  stripe.findPayout({ accountId: VENUE, destination: 'ba_venue', askedMsAgo }, key, effectCall(key));

/** Both effects behind the same questions, where they behave alike. */
const EFFECTS = {
  transfer: {
    ask: (key: string, changes: { amount?: number; currency?: string } = {}) => transfer(key, changes),
    find: (key: string) => findTransfer(key),
    happened: () => sandbox.transfers(),
  },
  payout: {
    ask: (key: string, changes: { amount?: number; currency?: string } = {}) => payOut(key, changes),
    find: (key: string) => findPayout(key),
    happened: () => sandbox.payouts(),
  },
};

describe.each(Object.entries(EFFECTS))('a %s', (_, { ask, find, happened }) => {
  beforeEach(() => sandbox.setAvailable(VENUE, 'usd', 100_000));

  it('happens once under its key, and Stripe holds the ids that find it again', async () => {
    const first = await ask('job-3:effect:1');

    expect(first.kind).toBe('done');
    expect(await ask('job-3:effect:1')).toEqual(first);
    expect(await find('job-3:effect:1')).toEqual(first);
    expect(happened()).toMatchObject([
      {
        idempotencyKey: 'job-3:effect:1',
        amount: 5000,
        currency: 'usd',
        metadata: { job_id: 'job-3', provider_key: 'job-3:effect:1' },
        calls: 2,
      },
    ]);
  });

  it.each([
    [0, /parameter amount/],
    [2.5, /parameter amount/],
  ])('of %d is an invalid request', async (amount, message) => {
    expect(await ask('key-1', { amount })).toMatchObject({
      kind: 'declined',
      code: 'INVALID_REQUEST',
      message: expect.stringMatching(message),
    });
    expect(happened()).toEqual([]);
  });

  it('is counted as Stripe counts the currency, and not rounded', async () => {
    for (const account of ['acct_sandbox', VENUE]) sandbox.setAvailable(account, 'isk', 100_000);
    expect((await ask('key-1', { amount: 5, currency: 'ISK' })).kind).toBe('done');
    expect(happened()).toMatchObject([{ amount: 500, currency: 'isk' }]);
    expect(await ask('key-2', { amount: 5_124, currency: 'KWD' })).toMatchObject({ code: 'AMOUNT_NOT_PAYABLE' });
  });

  it('whose key was used for another one is a mismatch', async () => {
    await ask('key-1', { amount: 100 });

    expect(await ask('key-1', { amount: 200 })).toMatchObject({ kind: 'unknown', code: 'IDEMPOTENCY_MISMATCH' });
  });

  it.each([
    ['rate-limit', { code: 'RATE_LIMITED', retryAfterMs: 7000 }],
    ['unauthorized', { code: 'AUTHENTICATION' }],
  ] as const)('%s: nothing moved, and the same key does it later', async (kind, answer) => {
    sandbox.fault({ kind, retryAfterSeconds: 7 });

    expect(await ask('key-1')).toMatchObject({ kind: 'refused', ...answer });
    expect(happened()).toEqual([]);
    expect((await ask('key-1')).kind).toBe('done');
  });

  it.each(['lose-answer', 'fail-after-effect'] as const)('%s: the list tells that it happened', async (kind) => {
    sandbox.fault({ kind });

    expect((await ask('key-1')).kind).toBe('unknown');
    sandbox.expireKeys();
    expect((await find('key-1')).kind).toBe('done');
    expect(happened()).toMatchObject([{ calls: 1 }]);
  });

  it.each(['unavailable', 'fail-before-effect', 'reset-before'] as const)(
    '%s: the list tells that it did not',
    async (kind) => {
      await ask('key-0', { amount: 1 });
      sandbox.fault({ kind });

      expect((await ask('key-1')).kind).toBe('unknown');
      expect(await find('key-1')).toEqual({ kind: 'absent' });
    },
  );

  it('is found on whatever page it is', async () => {
    for (let number = 1; number <= 101; number += 1) await ask(`key-${number}`, { amount: 1 });

    expect((await find('key-1')).kind).toBe('done');
    expect(await find('key-102')).toEqual({ kind: 'absent' });
  });

  it.each(['unavailable', 'rate-limit'] as const)('whose list fails (%s) is never "absent"', async (kind) => {
    sandbox.fault({ kind });

    expect((await find('key-1')).kind).toBe('unknown');
  });

  it('that is given up waits no longer than its caller', async () => {
    const stop = new AbortController();
    const hang = sandbox.fault({ kind: 'hang' });
    const found = stripe.findTransfer('job-3', 'key-1', effectCall('key-1', { signal: stop.signal }));
    await hang.reached;
    stop.abort();

    expect(await found).toMatchObject({ kind: 'unknown', code: 'ABORTED' });
  });

  it('that asks for more than there is waits for it, and the next key moves it when it is there', async () => {
    for (const account of ['acct_sandbox', VENUE]) sandbox.setAvailable(account, 'usd', 4_999);
    expect(await ask('key-1')).toMatchObject({ kind: 'declined', code: 'BALANCE_INSUFFICIENT' });
    for (const account of ['acct_sandbox', VENUE]) sandbox.setAvailable(account, 'usd', 5_000);

    // The first answer is kept under its key.
    expect(await ask('key-1')).toMatchObject({ kind: 'declined', code: 'BALANCE_INSUFFICIENT' });
    expect((await ask('key-2')).kind).toBe('done');
  });
});

describe('a transfer', () => {
  it('says what went where', async () => {
    const answer = await transfer('key-1', { metadata: { venue_id: 'venue-7' } });

    const [moved] = sandbox.transfers();
    expect(answer).toEqual({
      kind: 'done',
      value: { transferId: moved?.transferId, amount: 5000, currency: 'usd' },
      reference: moved?.transferId,
    });
    expect(moved).toMatchObject({ destination: VENUE, transferGroup: 'job-3', metadata: { venue_id: 'venue-7' } });
  });

  it.each([
    ['acct_nobody', 'INVALID_REQUEST'],
    ['acct_restricted', 'PAYOUTS_NOT_ALLOWED'],
  ])('to %s is declined as %s', async (accountId, code) => {
    expect(await transfer('key-1', { accountId })).toMatchObject({ kind: 'declined', code });
    expect(sandbox.transfers()).toEqual([]);
  });

  it('of another job is not found', async () => {
    await transfer('key-1');

    expect(await findTransfer('key-1', 'job-4')).toEqual({ kind: 'absent' });
  });
});

describe('a payout', () => {
  beforeEach(() => sandbox.setAvailable(VENUE, 'usd', 100_000));

  it('says when the bank will have it, and later that it has', async () => {
    const answer = await payOut('key-1');

    const [paid] = sandbox.payouts();
    expect(answer).toMatchObject({ kind: 'done', value: { payoutId: paid?.payoutId, status: 'pending' } });
    const arrival = answer.kind === 'done' ? answer.value.arrivalDate : 0;
    expect(arrival).toBe(Math.floor(((paid?.at ?? 0) + 172_800_000) / 1000));
    sandbox.passTime();
    expect(await findPayout('key-1')).toMatchObject({ kind: 'done', value: { status: 'completed' } });
  });

  it('can be instant to a card', async () => {
    const answer = await payOut('key-1', { method: 'instant', destination: 'card_venue' });

    expect(answer.kind).toBe('done');
    expect(sandbox.payouts()).toMatchObject([{ account: VENUE, destination: 'card_venue', method: 'instant' }]);
  });

  it.each<[Partial<PayoutRequest>, object]>([
    [{ method: 'instant' }, { kind: 'declined', code: 'INSTANT_UNSUPPORTED' }],
    [{ destination: 'ba_somebody_elses' }, { kind: 'declined', code: 'INVALID_REQUEST' }],
    [{ accountId: 'acct_without_payouts' }, { kind: 'declined', code: 'PAYOUTS_NOT_ALLOWED' }],
    [{ accountId: 'acct_nobody' }, { kind: 'refused', code: 'PERMISSION' }],
  ])('%j is %j', async (changes, answer) => {
    expect(await payOut('key-1', changes)).toMatchObject(answer);
    expect(sandbox.payouts()).toEqual([]);
  });

  it('that the bank has sent back did not happen', async () => {
    await payOut('key-1', { destination: 'ba_closed' });
    const place = { accountId: VENUE, destination: 'ba_closed', askedMsAgo: MINUTE_MS };
    expect((await stripe.findPayout(place, 'key-1', effectCall('key-1'))).kind).toBe('done');

    sandbox.passTime();
    expect(await stripe.findPayout(place, 'key-1', effectCall('key-1'))).toEqual({ kind: 'absent' });
  });

  it('is looked for as far back as it was asked for, and no further', async () => {
    jest.useFakeTimers({ now: Date.now() - 3 * 60 * MINUTE_MS, doNotFake: ['nextTick', 'setImmediate', 'setTimeout'] });
    await payOut('key-1');
    jest.useRealTimers();

    expect((await findPayout('key-1', 3 * 60 * MINUTE_MS)).kind).toBe('done');
    expect(await findPayout('key-1', MINUTE_MS)).toEqual({ kind: 'absent' });
  });
});

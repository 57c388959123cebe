import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { openHarness, payment, type Harness } from '../../support/harness';
import { MoneyRows, quick } from '../../support/money';

let harness: Harness;
let rows: MoneyRows;

beforeAll(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
});
afterAll(() => harness?.close());

const pay = (over: Record<string, unknown> = {}, options: Record<string, unknown> = {}) =>
  harness.bus.request({ type: 'payment-process', data: payment(over), options });

/** The charges of one job, by its id in their metadata. */
const charges = (jobId: string | null) => harness.stripe.ledger().filter((one) => one.metadata['job_id'] === jobId);

describe('a payment that meets trouble', () => {
  beforeAll(() => harness.startService({}, quick));
  afterEach(() => harness.stripe.clearFaults());

  it('is tried again after the backoff until its attempts are spent, and ends failed with the last error', async () => {
    harness.stripe.fault({ kind: 'unauthorized', times: 2 });
    const id = await pay({}, { attempts: 2 });

    const { data } = await harness.bus.outcomeOf(id);
    expect(data).toMatchObject({ outcome: 'failed', attempts: 2, generation: 1, sequence: 1, result: null });
    expect(data.error).toMatchObject({ code: 'AUTHENTICATION', replayable: true });
    const job = await rows.until('the job has failed', id, ({ status }) => status === 'failed');
    expect(job).toMatchObject({ held: false, attempts: 2, starts: 2, finishes: 2, sequence: 1 });
    expect(await rows.moves(job.id)).toEqual([
      'pending → processing',
      'processing → pending (AUTHENTICATION)',
      'pending → processing',
      'processing → failed (AUTHENTICATION)',
    ]);
    expect(await rows.deadLetters(job.id)).toEqual([{ kind: 'gave_up', code: 'AUTHENTICATION' }]);
    expect(charges(job.id)).toEqual([]);
  });

  it('lets its key go when it fails: the same key is a new job', async () => {
    const request = { type: 'payment-process', data: payment(), idempotencyKey: 'again-after-failure' };
    const declined = { ...request, data: { ...request.data, paymentMethod: 'pm_card_chargeDeclined' } };
    const first = await harness.bus.outcomeOf(await harness.bus.request(declined), 'failed');
    const second = await harness.bus.outcomeOf(await harness.bus.request(request), 'completed');
    expect(second.data.jobId).not.toBe(first.data.jobId);
    expect(charges(second.data.jobId)).toHaveLength(1);
  });

  it.each([
    ['pm_card_chargeDeclined', 'generic_decline'],
    ['pm_card_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
    ['pm_card_chargeDeclinedFraudulent', 'fraudulent'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card'],
  ])('%s ends it at once as %s, whatever attempts are left', async (paymentMethod, code) => {
    const id = await pay({ paymentMethod }, { attempts: 10 });

    const { data } = await harness.bus.outcomeOf(id);
    expect(data).toMatchObject({ outcome: 'failed', attempts: 1, error: { code, replayable: true } });
    const job = await rows.until('the job has failed', id, ({ status }) => status === 'failed');
    expect(job).toMatchObject({ held: false, starts: 1 });
    expect(await rows.effects(job.id)).toMatchObject([{ number: 1, state: 'absent', calls: 1 }]);
    expect(await rows.deadLetters(job.id)).toEqual([{ kind: 'gave_up', code }]);
  });

  it('waits as long as Retry-After says, and spends no attempt', async () => {
    harness.stripe.fault({ kind: 'rate-limit', retryAfterSeconds: 3 });
    const id = await pay();

    const waiting = await rows.until('the job waits', id, ({ reason }) => reason === 'RATE_LIMITED');
    expect(waiting.waits).toBeCloseTo(3, 2);
    const { data } = await harness.bus.outcomeOf(id);
    expect(data).toMatchObject({ outcome: 'completed', attempts: 1 });
    expect(charges(data.jobId)).toHaveLength(1);
    // Nothing had happened under the first key, so another one is used.
    expect(await rows.effects(waiting.id)).toMatchObject([{ state: 'absent' }, { number: 2, state: 'done' }]);
  });

  it.each([
    ['503', 'unavailable', {}],
    ['no answer at all', 'hang', { timeout: 2_000 }],
    ['a connection that breaks', 'reset-before', {}],
  ] as const)('%s: asks again with the same key, and charges once', async (_, kind, options) => {
    harness.stripe.fault({ kind });
    const id = await pay({}, options);

    const { data } = await harness.bus.outcomeOf(id);
    expect(data).toMatchObject({ outcome: 'completed', attempts: 2 });
    expect(charges(data.jobId)).toMatchObject([{ calls: 2 }]);
    expect(await rows.effects(data.jobId ?? '')).toMatchObject([{ number: 1, state: 'done', calls: 2 }]);
  });
});

it('a provider that cannot be reached ends a payment as failed: nothing was sent', async () => {
  const second = await openHarness();
  try {
    const address = await unusedAddress();
    await second.startService({}, quick, { STRIPE_API_BASE: address });
    const id = await second.bus.request({ type: 'payment-process', data: payment(), options: { attempts: 2 } });

    const { data } = await second.bus.outcomeOf(id);
    expect(data).toMatchObject({ outcome: 'failed', attempts: 2, error: { code: 'ECONNREFUSED' } });
    const job = await new MoneyRows(second.environment.pool).find(id);
    expect(job).toMatchObject({ status: 'failed', held: false });
  } finally {
    await second.close();
  }
});

/** Where nobody listens. */
async function unusedAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server on a TCP port has an address with a port; Node's type covers pipes too.
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

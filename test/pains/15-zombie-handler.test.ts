import { Queue, Worker } from 'bullmq';
import { paymentProcessHandler } from '../../src/handlers/payment-process';
import type { Handler } from '../../src/handlers/handler';
import { createStripeAdapter } from '../../src/providers/stripe/adapter';
import { around } from '../support/around';
import { eventually, gate, openHarness, payment, type Harness } from '../support/harness';
import { MoneyRows, quick } from '../support/money';
import { post } from '../support/sandbox/stripe/charging';

let harness: Harness;
let rows: MoneyRows;

beforeEach(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
});
afterEach(() => harness?.close());

const TIMEOUT = { timeout: 1_000, attempts: 1 };

/** BullMQ has no time limit for a job; this is the one that people write round their handlers. */
async function withTimeout(work: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('too late')), 300);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

it('pain 15: bare BullMQ lets a handler go on that has "failed", and charges twice', async () => {
  const { REDIS_MONEY_URL: url = '', QUEUE_PREFIX: prefix = '' } = harness.environment.variables;
  const connection = { url, maxRetriesPerRequest: null };
  const letGo = gate();
  let attempts = 0;
  const charge = async (): Promise<void> => {
    attempts += 1;
    // The first attempt is slow; nothing tells it that its time is over.
    if (attempts === 1) await letGo.opened;
    const form = { amount: '10000', currency: 'usd', payment_method: 'pm_card_visa', confirm: 'true' };
    const automatic = {
      'automatic_payment_methods[enabled]': 'true',
      'automatic_payment_methods[allow_redirects]': 'never',
    };
    await post(harness.stripe.url, '/v1/payment_intents', { ...form, ...automatic });
  };
  const queue = new Queue('bare-payments', { connection, prefix });
  const worker = new Worker('bare-payments', () => withTimeout(charge()), { connection, prefix });
  try {
    const job = await queue.add('payment', {}, { attempts: 2 });
    await eventually('the second attempt has completed', () => job.isCompleted());
    expect(harness.stripe.ledger()).toHaveLength(1);
    letGo.open();
    await eventually('the first one has charged as well', () => harness.stripe.ledger().length === 2);
  } finally {
    await worker.close();
    await queue.close();
  }
});

it('pain 15: ours puts a handler that outlives its time in doubt, keeps what it learns, and charges once', async () => {
  const letGo = gate();
  await harness.startService(
    {
      decorate: around({
        // The provider has charged; the handler neither looks at its signal nor comes back.
        'call provider': async (run) => {
          const answer = await run();
          await letGo.opened;
          return answer;
        },
      }),
    },
    quick,
  );
  const id = await harness.bus.request({ type: 'payment-process', data: payment(), options: TIMEOUT });

  const doubt = await harness.bus.outcomeOf(id);
  expect(doubt.data).toMatchObject({ outcome: 'attention', error: { code: 'TIMEOUT' }, attempts: 1 });
  const jobId = doubt.data.jobId ?? '';
  expect(await rows.find(id)).toMatchObject({ status: 'in_doubt', held: true });
  letGo.open();

  // Its decision comes too late, but the reference that it brings is kept: another attempt finds the charge there.
  const { data } = await harness.bus.outcomeOf(id, 'completed');
  expect(data).toMatchObject({ jobId, sequence: 2, result: { chargeId: harness.stripe.ledger()[0]?.chargeId } });
  expect(harness.stripe.ledger()).toMatchObject([{ calls: 1 }]);
  expect(await rows.moves(jobId)).toEqual([
    'pending → processing',
    'processing → in_doubt (TIMEOUT)',
    'in_doubt → pending (EFFECT_KNOWN)',
    'pending → processing',
    'processing → completed (DONE)',
  ]);
});

it('pain 15: ours ends a handler without an effect as TIMEOUT, and lets it begin nothing afterwards', async () => {
  const letGo = gate();
  const zombie = gate<string>();
  const stripe = createStripeAdapter({ secretKey: 'sk_test_local', apiBase: harness.stripe.url });
  const [, pay] = paymentProcessHandler({ stripe, square: undefined });
  const ignoring: Handler = async (payload, context) => {
    await letGo.opened;
    const outcome = await pay(payload, context);
    zombie.open(outcome.kind);
    return outcome;
  };
  await harness.startService({ handlers: new Map([['payment-process', ignoring]]) }, quick);
  const id = await harness.bus.request({ type: 'payment-process', data: payment(), options: TIMEOUT });

  const { data } = await harness.bus.outcomeOf(id);
  expect(data).toMatchObject({ outcome: 'failed', attempts: 1, error: { code: 'TIMEOUT', replayable: true } });
  letGo.open();

  expect(await zombie.opened).toBe('retry');
  expect(harness.stripe.calls()).toBe(0);
  expect(await rows.effects(data.jobId ?? '')).toEqual([]);
  expect(await rows.find(id)).toMatchObject({ status: 'failed', held: false });
  expect(await rows.outcomes(data.jobId ?? '')).toEqual(['failed']);
});

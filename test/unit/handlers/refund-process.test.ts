import { randomUUID } from 'node:crypto';
import { refundProcessHandler } from '../../../src/handlers/refund-process';
import type { FindJob } from '../../../src/handlers/refundable';
import { UnavailableError } from '../../../src/platform/unavailable';
import { createStripeAdapter } from '../../../src/providers/stripe/adapter';
import { contextOf } from '../../support/handler-context';

const stripe = createStripeAdapter({ secretKey: 'sk_test_nobody', apiBase: 'http://127.0.0.1:1' });
const payload = {
  transactionId: randomUUID(),
  userId: randomUUID(),
  venueId: randomUUID(),
  amount: 1_000,
  reason: 'duplicate',
};
const context = contextOf({ hasOwnKey: true });
const { userId, venueId } = payload;
const payment = { type: 'payment-process', status: 'completed', result: null, userId, venueId };

async function refundWith(findJob: FindJob): Promise<unknown> {
  const [, handle] = refundProcessHandler({ stripe, square: undefined }, findJob);
  return handle(payload, context);
}

it('waits, and spends no attempt, while the records cannot be read', async () => {
  const outcome = await refundWith(() => Promise.reject(new UnavailableError('away')));
  expect(outcome).toMatchObject({ kind: 'snooze', code: 'RECORDS_UNAVAILABLE' });
});

it('does not wait for what no time mends: a record that cannot be understood is a fault', async () => {
  await expect(refundWith(() => Promise.resolve(payment))).rejects.toThrow('expected object');
  await expect(refundWith(() => Promise.reject(new Error('a fault')))).rejects.toThrow('a fault');
});

/**
 * What a payment worker on plain BullMQ looks like: take a job, charge, done. BLOCK_MS makes its event loop stand still
 * after the provider has charged.
 */
import { Worker } from 'bullmq';
import { post } from '../sandbox/stripe/charging';

const blockMs = Number(process.env['BLOCK_MS'] ?? 0);
const worker = new Worker(
  'bare-payments',
  async (job) => {
    const { amount } = job.data as { amount: number }; // written by the test beside it
    const form = { amount: String(amount), currency: 'usd', payment_method: 'pm_card_visa', confirm: 'true' };
    const automatic = {
      'automatic_payment_methods[enabled]': 'true',
      'automatic_payment_methods[allow_redirects]': 'never',
    };
    await post(process.env['STRIPE_API_BASE'] ?? '', '/v1/payment_intents', { ...form, ...automatic });
    process.stdout.write('charged\n');
    if (blockMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs);
    process.stdout.write('done\n');
  },
  {
    connection: { url: process.env['REDIS_MONEY_URL'] ?? '', maxRetriesPerRequest: null },
    prefix: process.env['QUEUE_PREFIX'] ?? '',
    lockDuration: 1_000,
    stalledInterval: 500,
  },
);
worker.on('error', () => undefined);

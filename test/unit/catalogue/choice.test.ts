import { choiceOf, limitersOf, usesOf, withChoice, type Choice } from '../../../src/catalogue/choice';
import type { JobType } from '../../../src/catalogue/job-type';
import { sendEmail } from '../../../src/catalogue/send-email';
import { findUse } from '../../../src/execution/account';

const among = { stripe: 'stripe-charges', square: 'square' } as const;
const paying = typeWith({ by: 'provider', among });
const refunding = typeWith({ by: 'provider', among, follows: 'transactionId' });
const DEFAULTS = { provider: 'square', chain: 'polygon' };

function typeWith(uses: Choice): JobType {
  return { ...sendEmail, uses };
}

describe('a type whose payload chooses', () => {
  it('uses everything that may be chosen', () => {
    expect(usesOf(paying)).toEqual(['stripe-charges', 'square']);
    expect(limitersOf([paying, sendEmail, refunding])).toEqual(['stripe', 'square', 'sendgrid']);
  });

  it('is stored with the choice of the configuration where its payload makes none', () => {
    expect(withChoice(paying, { amount: 1 }, DEFAULTS)).toEqual({ amount: 1, provider: 'square' });
    expect(withChoice(paying, { provider: 'stripe' }, DEFAULTS)).toEqual({ provider: 'stripe' });
  });

  it('is stored as it came where it follows another job, and where there is nothing to choose', () => {
    expect(withChoice(refunding, { transactionId: 'a' }, DEFAULTS)).toEqual({ transactionId: 'a' });
    expect(withChoice(sendEmail, { to: 'b' }, DEFAULTS)).toEqual({ to: 'b' });
    expect(choiceOf(sendEmail, { provider: 'stripe' })).toBeUndefined();
  });
});

describe('the account that a job uses', () => {
  const stored = new Map<string, unknown>([
    ['payment', { provider: 'square' }],
    ['refund', { transactionId: 'payment' }],
    ['refund of nothing', { transactionId: 'nothing' }],
    ['refund that names one', { transactionId: 'payment', provider: 'stripe' }],
  ]);
  const useOf = (type: JobType, id: string) => findUse(type, id, (jobId) => Promise.resolve(stored.get(jobId)));

  it('is the one that its payload names', async () => {
    expect(await useOf(paying, 'payment')).toBe('square');
    expect(await useOf(refunding, 'refund that names one')).toBe('stripe-charges');
  });

  it('is that of the job which it follows', async () => {
    expect(await useOf(refunding, 'refund')).toBe('square');
  });

  it('is the first, where nobody can tell yet', async () => {
    expect(await useOf(refunding, 'refund of nothing')).toBe('stripe-charges');
    expect(await useOf(paying, 'no such job')).toBe('stripe-charges');
  });

  it('is not read up where its type has but one', async () => {
    const reading = () => Promise.reject(new Error('read all the same'));
    expect(await findUse(sendEmail, 'mail', reading)).toBe('sendgrid-transactional');
  });
});

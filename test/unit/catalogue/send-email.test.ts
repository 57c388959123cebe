import { sendEmail } from '../../../src/catalogue/send-email';
import { receipt, receiptEmail } from '../../support/emails';

const TIME = new Date('2026-01-15T23:30:00-02:00');

const check = (over: Record<string, unknown> = {}, time = TIME) =>
  sendEmail.check(receiptEmail({ to: 'guest@example.com', ...over }), { time });
const keyOf = (over: Record<string, unknown> = {}, time = TIME) => {
  const checked = check(over, time);
  return 'defaultKey' in checked ? checked.defaultKey : JSON.stringify(checked);
};

describe('the default key', () => {
  it('is made of template, address, day of the request in UTC, and data', () => {
    expect(keyOf()).toMatch(/^email-order-receipt-guest@example\.com-2026-01-16-[0-9a-f]{16}$/);
  });

  it('is the same for the same mail on the same day, however its data is spelt', () => {
    const reordered = Object.fromEntries(Object.entries(receipt()).toReversed());
    expect(keyOf({ data: reordered }, new Date('2026-01-16T00:00:00Z'))).toBe(keyOf());
  });

  it.each([
    ['address', { to: 'other@example.com' }, TIME],
    ['data', { data: receipt({ amount: 10_001 }) }, TIME],
    ['day', {}, new Date('2026-01-17T00:00:00Z')],
  ])('differs with the %s', (_, over, time) => {
    expect(keyOf(over, time)).not.toBe(keyOf());
  });
});

describe('a payload is refused before anything is sent', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['an address that is none', { to: 'guest' }, 'data.data.to'],
    ['two addresses', { to: 'a@example.com, b@example.com' }, 'data.data.to'],
    ['an unknown template', { template: 'invoice' }, 'data.data.template'],
    ['a header smuggled into the subject', { subject: 'Hello\r\nBcc: all@example.com' }, 'data.data.subject'],
    ['a line separator in the subject', { subject: 'Hello\u2028there' }, 'data.data.subject'],
    ['an unknown name', { colour: 'red' }, 'data.data'],
    ['missing data', { data: receipt({ orderId: undefined }) }, 'data.data.data.orderId'],
    ['data that the template does not know', { data: receipt({ colour: 'red' }) }, 'data.data.data'],
    ['a break in a line of the text', { data: receipt({ eventName: 'A\nB' }) }, 'data.data.data.eventName'],
    ['no tickets', { data: receipt({ tickets: [] }) }, 'data.data.data.tickets'],
    ['an amount that is not whole', { data: receipt({ amount: 0.5 }) }, 'data.data.data.amount'],
    ['a currency that is none', { data: receipt({ currency: 'dollars' }) }, 'data.data.data.currency'],
  ])('%s', (_, over, path) => {
    expect(check(over)).toMatchObject({ problems: [{ path: expect.stringContaining(path) }] });
  });

  it('by users, who have nothing to send', () => {
    expect(sendEmail.submittableBy).toEqual(['service', 'admin']);
  });
});

import { sendEmail } from '../../../src/catalogue/send-email';
import { receipt, receiptEmail, wholeEmail, type SampleTemplate } from '../../support/emails';

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

describe('a reminder', () => {
  const recipients = [
    { to: 'ada@example.com', name: 'Ada' },
    { to: 'ben@example.com', tickets: 2 },
  ];
  const reminder = (over: Record<string, unknown>) =>
    sendEmail.check(wholeEmail('event-reminder', { to: undefined, ...over }), { time: TIME });

  it('to many has a default key made of all of them', () => {
    const keys = [recipients, recipients.slice(1)].map((some) => reminder({ recipients: some }));
    expect(keys[0]).toHaveProperty(
      'defaultKey',
      expect.stringMatching(/^email-event-reminder-[0-9a-f]{16}-2026-01-16-[0-9a-f]{16}$/),
    );
    expect(keys[1]).not.toEqual(keys[0]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['nobody', {}, 'data.data.to'],
    ['one and many', { to: 'ada@example.com', recipients }, 'data.data.to'],
    ['none of many', { recipients: [] }, 'data.data.recipients'],
    ['too many', { recipients: Array.from({ length: 1_001 }, (_, n) => ({ to: `${n}@a.example` })) }, 'recipients'],
    ['the same address twice', { recipients: [{ to: 'a@b.example' }, { to: 'A@B.example' }] }, 'recipients'],
    ['no address', { recipients: [{ to: 'ada' }] }, 'data.data.recipients.0.to'],
    ['a break in a name', { recipients: [{ to: 'a@b.example', name: 'A\nB' }] }, 'data.data.recipients.0.name'],
  ])('to %s is refused', (_, over, path) => {
    expect(reminder(over)).toMatchObject({ problems: [{ path: expect.stringContaining(path) }] });
  });
});

describe('a payload is refused before anything is sent', () => {
  it.each<[SampleTemplate, Record<string, unknown>, string]>([
    ['event-reminder', { timeZone: 'Mars/Olympus' }, 'timeZone'],
    ['event-reminder', { startsAt: 'tomorrow' }, 'startsAt'],
    ['event-cancelled', { refunded: 'yes' }, 'refunded'],
    ['payout-sent', { arrivesOn: '20.1.2026' }, 'arrivesOn'],
    ['report-ready', { url: 'http://reports.example.com' }, 'url'],
    ['report-ready', { url: 'javascript:alert(1)' }, 'url'],
    ['report-ready', { format: 'exe' }, 'format'],
    ['refund-receipt', { amount: 0 }, 'amount'],
  ])('%s with %j', (template, over, path) => {
    const { data } = wholeEmail(template);
    const checked = sendEmail.check(wholeEmail(template, { data: Object.assign({}, data, over) }), { time: TIME });
    expect(checked).toMatchObject({ problems: [{ path: `data.data.data.${path}` }] });
  });

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

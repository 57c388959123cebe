import { sendSms } from '../../../src/catalogue/send-sms';
import { receiptText } from '../../support/texts';

const TIME = new Date('2026-01-15T23:30:00-02:00');

const check = (over: Record<string, unknown> = {}, time = TIME) =>
  sendSms.check(receiptText({ to: '+15558675310', ...over }), { time });
const keyOf = (over: Record<string, unknown> = {}, time = TIME) => {
  const checked = check(over, time);
  return 'defaultKey' in checked ? checked.defaultKey : JSON.stringify(checked);
};

describe('the default key', () => {
  it('is made of number, template, hour of the request in UTC, and message', () => {
    expect(keyOf()).toMatch(/^sms-\+15558675310-receipt-2026-01-16T01-[0-9a-f]{16}$/);
    expect(keyOf({ template: undefined })).toMatch(/^sms-\+15558675310-notice-/);
  });

  it('is the same for the same message in the same hour', () => {
    expect(keyOf({}, new Date('2026-01-16T01:59:59Z'))).toBe(keyOf());
  });

  it.each([
    ['number', { to: '+15558675311' }, TIME],
    ['template', { template: 'reminder' }, TIME],
    ['message', { message: 'Another' }, TIME],
    ['hour', {}, new Date('2026-01-16T02:00:00Z')],
  ])('differs with the %s', (_, over, time) => {
    expect(keyOf(over, time)).not.toBe(keyOf());
  });
});

describe('a payload is refused before anything is sent', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['a number without its country', { to: '5558675310' }, 'data.data.to'],
    ['a number with spaces', { to: '+1 555 867 5310' }, 'data.data.to'],
    ['a number that begins with 0', { to: '+05558675310' }, 'data.data.to'],
    ['a number that is too long', { to: '+1234567890123456' }, 'data.data.to'],
    ['an unknown template', { template: 'advert' }, 'data.data.template'],
    ['no message', { message: undefined }, 'data.data.message'],
    ['a blank message', { message: ' \n' }, 'data.data.message'],
    ['a message that is too long', { message: 'x'.repeat(1_601) }, 'data.data.message'],
    ['a control character', { message: 'a\u0007b' }, 'data.data.message'],
    ['half of a character', { message: 'a\ud83c' }, 'data.data.message'],
    ['a sender that is no number', { from: 'Tickets' }, 'data.data.from'],
    ['an unknown name', { colour: 'red' }, 'data.data'],
  ])('%s', (_, over, path) => {
    expect(check(over)).toMatchObject({ problems: [{ path: expect.stringContaining(path) }] });
  });

  it('by users, who have nothing to send', () => {
    expect(sendSms.submittableBy).toEqual(['service', 'admin']);
  });
});

it('line feeds and every script are fine', () => {
  expect(check({ message: 'Gate 4\n入口 🎫'.repeat(50) })).toHaveProperty('defaultKey');
});

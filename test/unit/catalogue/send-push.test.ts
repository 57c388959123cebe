import { sendPush } from '../../../src/catalogue/send-push';
import { notification } from '../../support/notifications';

const TIME = new Date('2026-01-15T23:30:00-02:00');
const USER = '0190a9c4-7c1e-7a0b-8f5b-2d1c3b4a5968';

const check = (over: Record<string, unknown> = {}, time = TIME) =>
  sendPush.check(notification({ userId: USER, ...over }), { time });
const keyOf = (over: Record<string, unknown> = {}, time = TIME) => {
  const checked = check(over, time);
  return 'defaultKey' in checked ? checked.defaultKey : JSON.stringify(checked);
};

describe('the default key', () => {
  it('is made of user, title and body, and hour of the request in UTC', () => {
    expect(keyOf()).toMatch(new RegExp(`^push-${USER}-[0-9a-f]{16}-2026-01-16T01$`));
    expect(keyOf({ data: { eventId: '2' } }, new Date('2026-01-16T01:59:59Z'))).toBe(keyOf());
  });

  it.each([
    ['user', { userId: '0190a9c4-7c1e-7a0b-8f5b-2d1c3b4a5969' }, TIME],
    ['title', { title: 'Another' }, TIME],
    ['body', { body: 'Another' }, TIME],
    ['hour', {}, new Date('2026-01-16T02:00:00Z')],
  ])('differs with the %s', (_, over, time) => {
    expect(keyOf(over, time)).not.toBe(keyOf());
  });

  it('tells where the title ends', () => {
    expect(keyOf({ title: 'ab', body: 'c' })).not.toBe(keyOf({ title: 'a', body: 'bc' }));
  });
});

describe('a payload is refused before anything is sent', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['nobody', { userId: 'ada' }, 'data.data.userId'],
    ['a title of two lines', { title: 'a\nb' }, 'data.data.title'],
    ['no body', { body: undefined }, 'data.data.body'],
    ['a blank body', { body: ' \n' }, 'data.data.body'],
    ['a control character', { body: 'a\u0007b' }, 'data.data.body'],
    ['half of a character', { body: 'a\ud83c' }, 'data.data.body'],
    ['data that no app can read', { data: { a: { b: 1 } } }, 'data.data.data.a'],
    ['a name that FCM keeps for itself', { data: { from: 'me' } }, 'data.data.data'],
    ['another such name', { data: { 'google.x': 'me' } }, 'data.data.data'],
    ['more than a push service takes', { body: '🎫'.repeat(490), data: { a: 'é'.repeat(990) } }, 'data.data'],
    ['an unknown name', { colour: 'red' }, 'data.data'],
  ])('%s', (_, over, path) => {
    expect(check(over)).toMatchObject({ problems: [{ path: expect.stringContaining(path) }] });
  });

  it('by users, who have nothing to send', () => {
    expect(sendPush.submittableBy).toEqual(['service', 'admin']);
  });
});

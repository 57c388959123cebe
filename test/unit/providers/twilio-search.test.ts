import { searchPage } from '../../../src/providers/twilio/search';

const AT = new Date('2026-01-15T10:00:00Z');
const SENT = { from: AT, until: new Date(AT.getTime() + 60_000) };
const after = (ms: number) => new Date(AT.getTime() + ms);

const listed = (over: Record<string, unknown> = {}) => ({
  sid: 'SM1',
  direction: 'outbound-api',
  body: 'Two tickets',
  dateCreated: AT,
  ...over,
});
const search = (page: unknown[], pageSize = 200) => searchPage(page, pageSize, { text: 'Two tickets' }, SENT);
const FOUND = { kind: 'done', value: { messageId: 'SM1' }, reference: 'SM1' };

describe('a message is ours', () => {
  it.each([
    ['created during the call', {}],
    ['by a clock that is behind ours', { dateCreated: after(-60_000) }],
    ['by a clock that is ahead of ours', { dateCreated: after(120_000) }],
    ['with the words that Twilio adds to it on trial', { body: 'Sent from your Twilio trial account - Two tickets' }],
    ['without the blanks at its ends', { body: 'Two tickets\n' }],
  ])('%s', (_, over) => {
    expect(search([listed({ sid: 'SM9', body: 'Another' }), listed(over)])).toEqual(FOUND);
  });
});

describe('a message is not ours', () => {
  it.each([
    ['with more text', { body: 'Two tickets more' }],
    ['created long before', { dateCreated: after(-60_001) }],
    ['created long after', { dateCreated: after(120_001) }],
    ['that came to us', { direction: 'inbound' }],
  ])('%s', (_, over) => {
    expect(search([listed(over)])).toEqual({ kind: 'absent' });
  });
});

describe('nobody can tell', () => {
  it.each([[''], [null], [undefined]])('when the text of one was removed: %j', (body) => {
    expect(search([listed({ body })])).toMatchObject({ kind: 'unknown', code: 'TEXT_REMOVED' });
    expect(search([listed({ body }), listed()])).toEqual(FOUND);
  });

  it('when there are more than a page of them', () => {
    const others = [listed({ body: 'a' }), listed({ body: 'b' })];
    expect(search(others, 2)).toMatchObject({ kind: 'unknown', code: 'TOO_MANY_MESSAGES' });
    expect(search(others, 3)).toEqual({ kind: 'absent' });
    // The page reaches back beyond the call.
    expect(search([listed({ body: 'a' }), listed({ dateCreated: after(-3_600_000) })], 2)).toEqual({ kind: 'absent' });
  });

  it('when the list cannot be read', () => {
    expect(search([{ sid: 'SM1' }])).toMatchObject({ kind: 'unknown', code: 'UNREADABLE_ANSWER' });
  });
});

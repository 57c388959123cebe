import { analyticsTrack } from '../../../src/catalogue/analytics-track';

const event = {
  eventType: 'ticket.viewed',
  venueId: '01933f6e-0000-7000-8000-000000000001',
  userId: '01933f6e-0000-7000-8000-000000000002',
  data: { amount: 1_999, source: 'newsletter' },
  timestamp: '2026-01-15T10:00:00Z',
};

function keyOf(data: unknown): string {
  const judged = analyticsTrack.check(data, { time: new Date(0) });
  if ('problems' in judged) throw new Error(JSON.stringify(judged.problems));
  return judged.defaultKey ?? 'none';
}

function problemsOf(data: unknown): string[] {
  const judged = analyticsTrack.check(data, { time: new Date(0) });
  return 'problems' in judged ? judged.problems.map(({ path }) => path) : [];
}

describe('the default key of analytics-track', () => {
  it('names type, venue, user and time, and ends in a hash of the payload', () => {
    expect(keyOf(event)).toMatch(
      /^analytics-ticket\.viewed-01933f6e-0000-7000-8000-000000000001-01933f6e-0000-7000-8000-000000000002-2026-01-15T10:00:00Z-[0-9a-f]{16}$/,
    );
    const { venueId: _venue, userId: _user, ...nobodys } = event;
    expect(keyOf(nobodys)).toMatch(/^analytics-ticket\.viewed-global-anonymous-2026-01-15T10:00:00Z-[0-9a-f]{16}$/);
  });

  it('of an event without a time has that of its request', () => {
    const { timestamp: _, ...timeless } = event;
    expect(keyOf(timeless)).toContain('-1970-01-01T00:00:00.000Z-');
  });

  it('is the same for the same event, however its members are ordered', () => {
    const reversed = Object.fromEntries(Object.entries(event).toReversed());
    expect(keyOf({ ...reversed, data: { source: 'newsletter', amount: 1_999 } })).toBe(keyOf(event));
  });

  it.each([
    ['other properties', { data: { amount: 1_999, source: 'search' } }],
    ['another show', { eventId: '01933f6e-0000-7000-8000-000000000003' }],
  ])('differs for an event of the same moment with %s', (_what, over) => {
    expect(keyOf({ ...event, ...over })).not.toBe(keyOf(event));
  });
});

describe('the payload of analytics-track', () => {
  it.each([
    ['an event type with spaces', { eventType: 'ticket viewed' }, 'data.data.eventType'],
    ['a venue that is no UUID', { venueId: 'arena' }, 'data.data.venueId'],
    ['an amount with a fraction', { data: { amount: 19.99 } }, 'data.data.data.amount'],
    ['an amount beyond all reason', { data: { amount: 1_000_000_001 } }, 'data.data.data.amount'],
    ['a time that is none', { timestamp: 'yesterday' }, 'data.data.timestamp'],
    [
      'more properties than fit',
      { data: Object.fromEntries([...Array(101).keys()].map((n) => [`p${n}`, n])) },
      'data.data.data',
    ],
    ['a field that nobody knows', { colour: 'red' }, 'data.data'],
  ])('does not allow %s', (_what, over, path) => {
    expect(problemsOf({ ...event, ...over })).toEqual([path]);
  });

  it('allows any property', () => {
    expect(problemsOf({ ...event, data: { deep: [{ er: null }] } })).toEqual([]);
  });
});

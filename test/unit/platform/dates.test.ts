import { formatDay, formatMoment } from '../../../src/platform/dates';

it.each([
  ['Europe/Berlin', 'Friday, January 16, 2026 at 7:30 PM GMT+1'],
  ['America/New_York', 'Friday, January 16, 2026 at 1:30 PM EST'],
  ['Asia/Tokyo', 'Saturday, January 17, 2026 at 3:30 AM GMT+9'],
])('a moment is told as clocks show it in %s', (timeZone, shown) => {
  expect(formatMoment('2026-01-16T18:30:00Z', timeZone)).toBe(shown);
  expect(formatMoment('2026-01-16T20:30:00+02:00', timeZone)).toBe(shown);
});

it('a day is the same everywhere', () => {
  expect(formatDay('2026-03-01')).toBe('March 1, 2026');
});

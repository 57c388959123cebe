/** "Friday, January 16, 2026 at 7:30 PM GMT+1": a moment as clocks there show it, in English. */
export function formatMoment(moment: string, timeZone: string): string {
  const format = new Intl.DateTimeFormat('en-US', {
    weekday: 'long',
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZoneName: 'short',
    timeZone,
  });
  // Some versions of the Unicode data put a narrow space before AM and PM.
  return format.format(new Date(moment)).replaceAll('\u202f', ' ');
}

/** "January 16, 2026". @param day such as 2026-01-16 */
export function formatDay(day: string): string {
  const format = new Intl.DateTimeFormat('en-US', { year: 'numeric', month: 'long', day: 'numeric', timeZone: 'UTC' });
  return format.format(new Date(`${day}T00:00:00Z`));
}

/** A name of the IANA time zone database. */
export function isTimeZone(name: string): boolean {
  try {
    // Only the constructor knows which names are good.
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

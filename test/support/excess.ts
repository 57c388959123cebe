/** What a number of milliseconds since 1970 cannot tell apart, in requests. */
const RESOLUTION = 1e-3;

/**
 * The first window that holds more requests than "burst + rate × t in any t" allows.
 * @param times when each request came, in milliseconds
 * @param precisionMs how far apart two times may be that are told to be the same
 */
export function excess(
  times: number[],
  { perSecond, burst }: { perSecond: number; burst: number },
  precisionMs = 0,
): string | undefined {
  const sorted = times.toSorted((one, other) => one - other);
  for (const [first, from] of sorted.entries()) {
    for (const [last, to] of sorted.entries()) {
      if (last < first) continue;
      const allowed = burst + (perSecond * (to - from + precisionMs)) / 1_000;
      const count = last - first + 1;
      if (count > allowed + RESOLUTION) return `${count} in ${to - from} ms, where ${allowed} may be`;
    }
  }
  return undefined;
}

/** One figure of one contestant, once for each run. */
export interface Measured {
  contestant: string;
  figure: string;
  values: number[];
}

/** @param share 0 is the least value, 1 the most, 0.5 the median (the upper one of two) */
export function percentile(values: number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** The mean of the two in the middle where their number is even. */
export function median(values: number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/**
 * An interval that holds the true median with at least this confidence, whatever the distribution: two of the values
 * themselves, chosen by the binomial distribution of how many lie below the median. Undefined for too few values.
 */
export function medianInterval(values: number[], confidence = 0.95): [low: number, high: number] | undefined {
  const sorted = values.toSorted((one, other) => one - other);
  const count = sorted.length;
  let outside = 0;
  let interval: [number, number] | undefined;
  for (let below = 0; below < count / 2; below += 1) {
    outside += 2 * choose(count, below) * 0.5 ** count;
    if (outside > 1 - confidence) break;
    const [low, high] = [sorted[below], sorted[count - 1 - below]];
    if (low !== undefined && high !== undefined) interval = [low, high];
  }
  return interval;
}

function choose(count: number, taken: number): number {
  let ways = 1;
  for (let step = 1; step <= taken; step += 1) ways *= (count - taken + step) / step;
  return ways;
}

/** `median [least..most]` */
export function summary(values: number[]): string {
  const [least, middle, most] = [percentile(values, 0), median(values), percentile(values, 1)].map(rounded);
  return values.length === 1 ? `${middle}` : `${middle} [${least}..${most}]`;
}

export function rounded(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

export function valuesOf(measured: Measured[], contestant: string, figure: string): number[] {
  return measured.find((one) => one.contestant === contestant && one.figure === figure)?.values ?? [];
}

export function medianOf(measured: Measured[], contestant: string, figure: string): number {
  return median(valuesOf(measured, contestant, figure));
}

/** Of two contestants, round by round: the turns of a round are near each other. */
export function ratiosOf(measured: Measured[], figure: string, contestant: string, base: string): number[] {
  const bases = valuesOf(measured, base, figure);
  return valuesOf(measured, contestant, figure).map((value, round) => value / (bases[round] ?? Number.NaN));
}

export function ratioInWords(ratios: number[]): string {
  const interval = medianInterval(ratios);
  const middle = `median ratio ${rounded(median(ratios))} of ${ratios.length} pairs`;
  return interval ? `${middle}, between ${interval.map(rounded).join(' and ')} at 95 %` : middle;
}

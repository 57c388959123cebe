import { rounded } from './figures';

/** A target of docs/performance.md, with what was measured. */
export interface Check {
  what: string;
  value: number;
  /** What `--assert` demands. */
  first: number;
  /** What is aimed at afterwards. */
  goal: number;
  better: 'more' | 'less';
  unit: string;
}

/** A value that could not be measured passes nothing. */
export function passes({ value, better }: Check, limit: number): boolean {
  return better === 'more' ? value >= limit : value <= limit;
}

export function missed(checks: Check[]): Check[] {
  return checks.filter((check) => !passes(check, check.first));
}

export function describeCheck(check: Check): string[] {
  const { what, value, first, goal, better, unit } = check;
  const sign = better === 'more' ? '≥' : '≤';
  const verdict = passes(check, goal) ? 'reached' : passes(check, first) ? 'first reached' : 'MISSED';
  return [what, `${rounded(value)}${unit}`, `${sign} ${limit(first)}${unit}`, `${sign} ${limit(goal)}${unit}`, verdict];
}

/** As it was written down, unless it was measured. */
function limit(value: number): string {
  const text = String(value);
  return text.length > 5 ? rounded(value) : text;
}

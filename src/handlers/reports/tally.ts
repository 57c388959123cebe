import type { Total } from '../../catalogue/generate-report';
import type { Money } from './amounts';

interface Sum {
  count: number;
  amount: number;
}

/** The sums of one day in one currency, by group. */
export interface DaySums {
  day: string;
  groups: ReadonlyMap<string, Sum>;
}

/** Adds up what a report says, by day, currency and group; it grows with days and currencies, not with rows. */
export class Tally {
  private readonly byCurrency = new Map<string, Map<string, Map<string, Sum>>>();

  add(group: string, day: string, { amount, currency }: Money): void {
    const days = entry(this.byCurrency, currency, () => new Map<string, Map<string, Sum>>());
    const groups = entry(days, day, () => new Map<string, Sum>());
    raise(groups, group, { count: 1, amount });
  }

  get currencies(): string[] {
    return [...this.byCurrency.keys()].sort();
  }

  days(currency: string): DaySums[] {
    const days = this.byCurrency.get(currency) ?? new Map<string, Map<string, Sum>>();
    return [...days].map(([day, groups]) => ({ day, groups })).sort((one, other) => (one.day < other.day ? -1 : 1));
  }

  totals(): Total[] {
    return this.currencies.flatMap((currency) => {
      const sums = new Map<string, Sum>();
      for (const { groups } of this.days(currency)) for (const [group, sum] of groups) raise(sums, group, sum);
      return [...sums].map(([group, sum]) => ({ group, currency, ...sum }));
    });
  }
}

function raise(sums: Map<string, Sum>, group: string, { count, amount }: Sum): void {
  const sum = entry(sums, group, () => ({ count: 0, amount: 0 }));
  sum.count += count;
  sum.amount += amount;
}

function entry<Value>(map: Map<string, Value>, key: string, create: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const created = create();
  map.set(key, created);
  return created;
}

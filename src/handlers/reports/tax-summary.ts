import { movementOf, type Movement } from './movements';
import { Money } from './amounts';
import { dayOf, type Report, type ReportRow } from './report';

interface Turnover {
  month: string;
  venueId: string;
  currency: string;
  payments: number;
  paid: number;
  refunds: number;
  refunded: number;
}

/** The turnover of each venue by month and currency. */
export const taxSummary: Report = {
  title: 'Tax summary',
  note: 'Turnover by month (UTC), venue and currency. Tax rates and tax numbers are not known to this service.',
  types: ['payment-process', 'refund-process'],
  columns: [
    { key: 'month', header: 'Month' },
    { key: 'venueId', header: 'Venue' },
    { key: 'currency', header: 'Currency' },
    { key: 'payments', header: 'Payments' },
    { key: 'gross', header: 'Gross' },
    { key: 'refunds', header: 'Refunds' },
    { key: 'refunded', header: 'Refunded' },
    { key: 'net', header: 'Net' },
  ],
  async *rows(pages, tally) {
    const turnovers = new Map<string, Turnover>();
    for await (const page of pages) {
      for (const job of page) {
        const movement = movementOf(job);
        if (!movement) continue;
        tally.add(`${movement.kind}s`, dayOf(job.acceptedAt), movement.money);
        add(turnovers, movement);
      }
    }
    for (const key of [...turnovers.keys()].sort()) {
      const turnover = turnovers.get(key);
      if (turnover) yield toRow(turnover);
    }
  },
};

function add(turnovers: Map<string, Turnover>, { kind, job, money, venueId = '' }: Movement): void {
  const { currency, amount } = money;
  const month = dayOf(job.acceptedAt).slice(0, 7);
  const key = [month, venueId, currency].join(' ');
  const turnover = turnovers.get(key) ?? { month, venueId, currency, payments: 0, paid: 0, refunds: 0, refunded: 0 };
  turnovers.set(key, turnover);
  if (kind === 'payment') {
    turnover.payments += 1;
    turnover.paid += amount;
  } else {
    turnover.refunds += 1;
    turnover.refunded += amount;
  }
}

function toRow({ paid, refunded, currency, ...rest }: Turnover): ReportRow {
  return {
    ...rest,
    currency,
    gross: new Money(paid, currency),
    refunded: new Money(refunded, currency),
    net: new Money(paid - refunded, currency),
  };
}

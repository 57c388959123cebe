import { movementOf } from './movements';
import { dayOf, type Report } from './report';

/** Every payout to a venue. */
export const payoutReport: Report = {
  title: 'Payouts',
  note: 'Payouts that the provider has taken on. Whether the bank has them by now, the provider knows.',
  types: ['payout-process'],
  columns: [
    { key: 'transactionId', header: 'Transaction' },
    { key: 'acceptedAt', header: 'Accepted (UTC)' },
    { key: 'finishedAt', header: 'Completed (UTC)' },
    { key: 'venueId', header: 'Venue' },
    { key: 'amount', header: 'Amount' },
    { key: 'currency', header: 'Currency' },
    { key: 'arrivesAt', header: 'Expected at the bank' },
    { key: 'transfer', header: 'Transfer' },
    { key: 'payout', header: 'Payout' },
  ],
  async *rows(pages, tally) {
    for await (const page of pages) {
      for (const job of page) {
        const movement = movementOf(job);
        if (!movement) continue;
        const { money, venueId, details } = movement;
        tally.add('payouts', dayOf(job.acceptedAt), money);
        yield {
          transactionId: job.jobId,
          acceptedAt: job.acceptedAt.toISOString(),
          finishedAt: job.finishedAt?.toISOString(),
          venueId,
          amount: money,
          currency: money.currency,
          arrivesAt: details.arrivesAt,
          transfer: details.transferId,
          payout: details.payoutId,
        };
      }
    }
  },
};

import { movementOf } from './movements';
import { dayOf, type Report } from './report';

/** Every payment and every refund. */
export const salesReport: Report = {
  title: 'Sales',
  note: 'Payments and refunds that completed. Names of events and customers are kept by other services.',
  types: ['payment-process', 'refund-process'],
  columns: [
    { key: 'kind', header: 'Kind' },
    { key: 'transactionId', header: 'Transaction' },
    { key: 'acceptedAt', header: 'Accepted (UTC)' },
    { key: 'finishedAt', header: 'Completed (UTC)' },
    { key: 'venueId', header: 'Venue' },
    { key: 'eventId', header: 'Event' },
    { key: 'amount', header: 'Amount' },
    { key: 'currency', header: 'Currency' },
    { key: 'provider', header: 'Provider' },
    { key: 'reference', header: 'Reference' },
  ],
  async *rows(pages, tally) {
    for await (const page of pages) {
      for (const job of page) {
        const movement = movementOf(job);
        if (!movement) continue;
        const { kind, money, venueId, eventId, details } = movement;
        tally.add(`${kind}s`, dayOf(job.acceptedAt), money);
        yield {
          kind,
          transactionId: job.jobId,
          acceptedAt: job.acceptedAt.toISOString(),
          finishedAt: job.finishedAt?.toISOString(),
          venueId,
          eventId,
          amount: money,
          currency: money.currency,
          provider: details.provider,
          reference: kind === 'payment' ? details.chargeId : details.refundId,
        };
      }
    }
  },
};

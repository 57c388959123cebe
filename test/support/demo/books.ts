/** Made-up books of a small sale that agree in everything, for tests that then make one of them disagree. */
import type { Evidence } from '../../../tools/demo/checker/facts';
import type { ProviderCharge, ProviderMail } from '../../../tools/demo/checker/ledgers';
import type { Kind, OutcomeEvent, OutcomeRecord, PublishedRecord } from '../../../tools/demo/records';

/** What is made to disagree, how, and what must then be named. */
export type Case = [name: string, disturb: (books: Evidence) => Partial<Evidence>, named: [what: string, id: string][]];

export const AMOUNT = 4_200;
export const VENUE = '01933f6e-0000-7000-8000-000000000001';
export const RECORD_JOB = '01933f6e-0000-7000-8000-000000000002';
const EMAIL = 'guest@example.com';

/**
 * Requests: `paid`, `again` (same key), `declined`, `conflict`, `misspelt`, and one message that nobody can read; `told`
 * says that order-1 is paid, and became a receipt and a record.
 */
export function soundBooks(): Evidence {
  return {
    published: [
      published('order.placed', 'paid', { order: 'order-1' }),
      published('same message again', 'paid', { order: 'order-1' }),
      published('order.paid', 'told', { order: 'order-1', sale: { email: EMAIL, venueId: VENUE } }),
      published('same key again', 'again', { order: 'order-1' }),
      published('key conflict', 'conflict', { order: 'order-1', code: 'IDEMPOTENCY_CONFLICT' }),
      published('declined card', 'declined', { order: 'order-2', code: 'expired_card' }),
      published('unknown type', 'misspelt', { code: 'UNKNOWN_TYPE', problemAt: 'data.type' }),
      published('not JSON', 'garbage', { requestId: null, code: 'UNREADABLE', problemAt: '(body)' }),
    ],
    outcomes: [
      received(completed('paid', 'job-1')),
      received(mailed('told', 'receipt-1', 'mail-1')),
      received(recorded('told', RECORD_JOB)),
      received(outcome('again-first', 'duplicate', { requestId: 'again', jobId: 'job-1', generation: 1 })),
      received(
        outcome('again-last', 'duplicate', { requestId: 'again', jobId: 'job-1', generation: 1, result: resultOf(1) }),
      ),
      received(rejected('conflict', 'IDEMPOTENCY_CONFLICT', 'data.idempotencyKey', 'job-1')),
      received(declined('declined', 'job-2')),
      received(rejected('misspelt', 'UNKNOWN_TYPE', 'data.type')),
      received(rejected(null, 'UNREADABLE', '(body)')),
    ],
    charges: [charge('charge-1', 'job-1')],
    mails: [mail('mail-1', 'receipt-1')],
    analytics: {
      recorded: [{ id: RECORD_JOB, venueId: VENUE, amount: AMOUNT }],
      counted: ['minute', 'day'].map((granularity) => counted(granularity)),
    },
  };
}

export function published(kind: Kind, messageId: string, over: Partial<PublishedRecord> = {}): PublishedRecord {
  const nothing = { order: null, sale: null, code: null, problemAt: null };
  const facts = { amount: AMOUNT, currency: 'USD', publishedAt: 1, confirmedAt: 2 };
  return { messageId, requestId: messageId, kind, ...nothing, ...facts, ...over };
}

export function completed(requestId: string, jobId: string, charge = 1): OutcomeEvent {
  return outcome(`${requestId}-completed`, 'completed', { requestId, jobId, generation: 1, result: resultOf(charge) });
}

/** The end of a receipt. */
export function mailed(requestId: string, jobId: string, messageId: string): OutcomeEvent {
  const result = { messageId };
  return outcome(`${jobId}-mailed`, 'completed', { type: 'send-email', requestId, jobId, generation: 1, result });
}

/** The end of a record of a sale. */
export function recorded(requestId: string, jobId: string): OutcomeEvent {
  const facts = { requestId, jobId, generation: 1, result: {} };
  return outcome(`${jobId}-recorded`, 'completed', { type: 'analytics-track', ...facts });
}

export function declined(requestId: string, jobId: string): OutcomeEvent {
  return outcome(`${requestId}-failed`, 'failed', { requestId, jobId, generation: 1, error: { code: 'expired_card' } });
}

export function rejected(
  requestId: string | null,
  code: string,
  at: string,
  jobId: string | null = null,
): OutcomeEvent {
  const error = { code, details: [{ path: at, message: 'is wrong' }] };
  return outcome(`${requestId}-rejected`, 'rejected', { requestId, jobId, error });
}

export function outcome(
  id: string,
  name: OutcomeEvent['data']['outcome'],
  data: Partial<OutcomeEvent['data']>,
): OutcomeEvent {
  const nothing = { jobId: null, requestId: null, generation: null, result: null, error: null };
  return { id, data: { type: 'payment-process', ...nothing, outcome: name, ...data } };
}

export function received(event: OutcomeEvent): OutcomeRecord {
  return { receivedAt: 3, event };
}

export function charge(chargeId: string, jobId: string, amount = AMOUNT): ProviderCharge {
  return { chargeId, amount, currency: 'usd', metadata: { job_id: jobId }, calls: 1 };
}

export function mail(messageId: string, jobId: string, over: Partial<ProviderMail> = {}): ProviderMail {
  return { messageId, jobId, to: EMAIL, text: 'Your order order-1', ...over };
}

/** What a venue has sold. */
export function counted(granularity: string, events = 1, venue = VENUE) {
  return { venue, granularity, events, amount: events * AMOUNT };
}

export function without(id: string): (books: Evidence) => Partial<Evidence> {
  return (books) => ({ outcomes: books.outcomes.filter(({ event }) => event.id !== id) });
}

export function plus(event: OutcomeEvent): (books: Evidence) => Partial<Evidence> {
  return (books) => ({ outcomes: [...books.outcomes, received(event)] });
}

export function replaced(id: string, event: OutcomeEvent): (books: Evidence) => Partial<Evidence> {
  return (books) => ({ outcomes: books.outcomes.map((record) => (record.event.id === id ? received(event) : record)) });
}

function resultOf(charge: number) {
  return { chargeId: `charge-${charge}`, amount: AMOUNT, currency: 'USD' };
}

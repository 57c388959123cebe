/** Made-up books of a small sale that agree in everything, for tests that then make one of them disagree. */
import type { Evidence } from '../../../tools/demo/facts';
import type { Kind, OutcomeEvent, OutcomeRecord, ProviderCharge, PublishedRecord } from '../../../tools/demo/records';

export const AMOUNT = 4_200;

/** Requests: `paid`, `again` (same key), `declined`, `conflict`, `misspelt`, and one message that nobody can read. */
export function soundBooks(): Evidence {
  return {
    published: [
      published('order.placed', 'paid', { order: 'order-1' }),
      published('same message again', 'paid', { order: 'order-1' }),
      published('same key again', 'again', { order: 'order-1' }),
      published('key conflict', 'conflict', { order: 'order-1', code: 'IDEMPOTENCY_CONFLICT' }),
      published('declined card', 'declined', { order: 'order-2', code: 'expired_card' }),
      published('unknown type', 'misspelt', { code: 'UNKNOWN_TYPE', problemAt: 'data.type' }),
      published('not JSON', 'garbage', { requestId: null, code: 'UNREADABLE', problemAt: '(body)' }),
    ],
    outcomes: [
      received(completed('paid', 'job-1')),
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
  };
}

export function published(kind: Kind, messageId: string, over: Partial<PublishedRecord> = {}): PublishedRecord {
  const nothing = { order: null, code: null, problemAt: null };
  const facts = { amount: AMOUNT, currency: 'USD', publishedAt: 1, confirmedAt: 2 };
  return { messageId, requestId: messageId, kind, ...nothing, ...facts, ...over };
}

export function completed(requestId: string, jobId: string, charge = 1): OutcomeEvent {
  return outcome(`${requestId}-completed`, 'completed', { requestId, jobId, generation: 1, result: resultOf(charge) });
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
  return { id, data: { ...nothing, outcome: name, ...data } };
}

export function received(event: OutcomeEvent): OutcomeRecord {
  return { receivedAt: 3, event };
}

export function charge(chargeId: string, jobId: string, amount = AMOUNT): ProviderCharge {
  return { chargeId, amount, currency: 'usd', metadata: { job_id: jobId }, calls: 1 };
}

function resultOf(charge: number) {
  return { chargeId: `charge-${charge}`, amount: AMOUNT, currency: 'USD' };
}

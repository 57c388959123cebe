/** What the tiers do outside, and the requests of the crash matrix that make them do it. */
import { randomUUID } from 'node:crypto';
import type { Tier } from '../../src/contract/names';
import { receiptEmail } from './emails';
import { activity, order, payment, type RequestParts } from './harness';

/** What a completed job leaves in the world. */
export type Effect = 'charge' | 'mail' | 'event';

type Parts = Pick<RequestParts, 'type' | 'data' | 'options'>;

export interface TierWork {
  effect: Effect;
  /** Each time other work; what it leaves in the world is known by `mark`. */
  request: (mark: string) => Parts;
  /** What would be a conflict under the same key. */
  other: (mark: string) => Parts;
  /** Ends as failed, without an effect. */
  failing: (mark: string) => Parts;
  /** Can never be accepted. */
  invalid: (mark: string) => Parts;
  /** A domain event that asks for such work. */
  event?: (mark: string) => { name: string; data: Record<string, unknown> };
}

/** A mail that nobody answered for is sent again after this, and a row does not wait longer. */
const MAIL_TIMEOUT_MS = 3_000;

export const TIER_WORK: Record<Tier, TierWork> = {
  money: {
    effect: 'charge',
    request: (mark) => pay(mark),
    other: (mark) => pay(mark, { amount: 1 }),
    failing: (mark) => pay(mark, { paymentMethod: 'pm_card_chargeDeclined' }),
    invalid: (mark) => pay(mark, { amount: -1 }),
    event: (mark) => ({ name: 'order.placed', data: order({ venueId: mark }) }),
  },
  communication: {
    effect: 'mail',
    request: (mark) => mail(mark),
    other: (mark) => mail(mark),
    failing: (mark) => mail(mark, { from: 'somebody.else@example.com' }),
    invalid: (mark) => mail(mark, { template: 'no-such-template' }),
  },
  background: {
    effect: 'event',
    request: (mark) => track(mark),
    other: (mark) => track(mark),
    failing: (mark) => ({ ...track(mark), options: { expiresAt: new Date(Date.now() - 1_000).toISOString() } }),
    invalid: (mark) => track(mark, { timestamp: 'yesterday' }),
    event: (mark) => ({ name: 'user.activity', data: activity({ venueId: mark }) }),
  },
};

function pay(mark: string, over: Record<string, unknown> = {}): Parts {
  return { type: 'payment-process', data: payment({ venueId: mark, ...over }) };
}

function mail(mark: string, over: Record<string, unknown> = {}): Parts {
  const data = receiptEmail({ to: `${randomUUID().slice(0, 8)}@${mark}.example`, ...over });
  return { type: 'send-email', data, options: { timeout: MAIL_TIMEOUT_MS } };
}

function track(mark: string, over: Record<string, unknown> = {}): Parts {
  const { eventType, userId, timestamp } = activity();
  return { type: 'analytics-track', data: { eventType, userId, venueId: mark, data: {}, timestamp, ...over } };
}

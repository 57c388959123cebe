/** Everything that the sandbox keeps: payments of two locations, and their refunds. */
import { randomBytes } from 'node:crypto';
import type { SandboxReply } from '../http';
import { outcomeOf } from './cards';
import { declined, invalid, notFound, refundRefused } from './errors';
import type { CreatePayment, ListQuery, RefundPayment } from './requests';

/** The first is the account's main one. */
const LOCATIONS = ['LMAIN', 'LOTHER'] as const;

interface Money {
  amount: number;
  currency: string;
}

interface Stored {
  id: string;
  created_at: string;
  updated_at: string;
  status: 'COMPLETED' | 'PENDING';
  amount_money: Money;
  location_id: string;
}

export interface StoredPayment extends Stored {
  reference_id?: string;
  refunded_money: Money;
  refund_ids: string[];
}

export interface StoredRefund extends Stored {
  payment_id: string;
  reason?: string;
}

export class Books {
  readonly payments: StoredPayment[] = [];
  readonly refunds: StoredRefund[] = [];
  /** How many entries the lists know, while they are behind. */
  #listed: { payments: number; refunds: number } | undefined;

  pay({ source_id, amount_money, location_id = LOCATIONS[0], reference_id }: CreatePayment): SandboxReply {
    if (!LOCATIONS.some((one) => one === location_id)) return invalid('INVALID_LOCATION', 'There is no such location.');
    const outcome = outcomeOf(source_id);
    if (outcome === undefined) return notFound('the card nonce');
    if (outcome !== 'taken') return declined(outcome);
    const payment: StoredPayment = {
      ...stored('COMPLETED', amount_money, location_id),
      ...(reference_id === undefined ? {} : { reference_id }),
      refunded_money: { ...amount_money, amount: 0 },
      refund_ids: [],
    };
    this.payments.push(payment);
    return { status: 200, body: { payment: show(payment) } };
  }

  refund({ payment_id, amount_money, reason }: RefundPayment): SandboxReply {
    const payment = this.payments.find(({ id }) => id === payment_id);
    if (!payment) return notFound('the payment');
    if (payment.amount_money.currency !== amount_money.currency) {
      return invalid('CURRENCY_MISMATCH', 'The currency is not that of the payment.');
    }
    const left = payment.amount_money.amount - payment.refunded_money.amount;
    if (amount_money.amount > left) {
      return refundRefused('REFUND_AMOUNT_INVALID', 'The requested refund amount exceeds the amount that is left.');
    }
    const own = stored('PENDING', amount_money, payment.location_id);
    const refund: StoredRefund = {
      ...own,
      id: `${payment_id}_${own.id}`,
      payment_id,
      ...(reason === undefined ? {} : { reason }),
    };
    this.refunds.push(refund);
    payment.refunded_money.amount += amount_money.amount;
    payment.refund_ids.push(refund.id);
    return { status: 200, body: { refund } };
  }

  payment(id: string): SandboxReply {
    const payment = this.payments.find((one) => one.id === id);
    return payment ? { status: 200, body: { payment: show(payment) } } : notFound('the payment');
  }

  refundById(id: string): SandboxReply {
    const refund = this.refunds.find((one) => one.id === id);
    return refund ? { status: 200, body: { refund } } : notFound('the refund');
  }

  listPayments({ location_id = LOCATIONS[0], ...query }: ListQuery): SandboxReply {
    const known = this.payments.slice(0, this.#listed?.payments);
    const there = known.filter((one) => one.location_id === location_id);
    const { page, cursor } = pageOf(there, query);
    return { status: 200, body: { ...(page.length > 0 && { payments: page.map(show) }), ...cursor } };
  }

  listRefunds({ location_id, ...query }: ListQuery): SandboxReply {
    const known = this.refunds.slice(0, this.#listed?.refunds);
    const there = known.filter((one) => location_id === undefined || one.location_id === location_id);
    const { page, cursor } = pageOf(there, query);
    return { status: 200, body: { ...(page.length > 0 && { refunds: page }), ...cursor } };
  }

  locations(): SandboxReply {
    return { status: 200, body: { locations: LOCATIONS.map((id) => ({ id, status: 'ACTIVE', name: id })) } };
  }

  pauseLists(): void {
    this.#listed = { payments: this.payments.length, refunds: this.refunds.length };
  }

  resumeLists(): void {
    this.#listed = undefined;
  }

  /** As if some days had passed. */
  passTime(): void {
    for (const refund of this.refunds) refund.status = 'COMPLETED';
  }
}

function stored(status: Stored['status'], amount_money: Money, location_id: string): Stored {
  const at = new Date().toISOString();
  return {
    id: randomBytes(16).toString('base64url'),
    created_at: at,
    updated_at: at,
    status,
    amount_money,
    location_id,
  };
}

/** What Square tells beside what is kept. */
function show(payment: StoredPayment): object {
  return {
    ...payment,
    total_money: payment.amount_money,
    approved_money: payment.amount_money,
    source_type: 'CARD',
    card_details: { status: 'CAPTURED', card: { card_brand: 'VISA', last_4: '1111' }, entry_method: 'KEYED' },
  };
}

function pageOf<Entry extends Stored>(
  all: Entry[],
  { begin_time, sort_order, limit, cursor }: Omit<ListQuery, 'location_id'>,
) {
  const since = begin_time === undefined ? 0 : Date.parse(begin_time);
  const sorted = all.filter(({ created_at }) => Date.parse(created_at) >= since);
  if (sort_order === 'DESC') sorted.reverse();
  const start = Number(cursor ?? 0);
  const end = start + limit;
  return { page: sorted.slice(start, end), cursor: end < sorted.length ? { cursor: String(end) } : {} };
}

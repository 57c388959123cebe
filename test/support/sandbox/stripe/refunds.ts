/**
 * Refunds of charges: create, retrieve, list. Some are pending at first or fail afterwards, as the test cards say
 * ("Testing", docs.stripe.com/testing#refunds).
 */
import type Stripe from 'stripe';
import type { Charges, RefundableCharge } from './charges';
import { errorReply, invalid, noSuch, Refusal } from './errors';
import { listPage, readPage } from './lists';
import type { Emit } from './events';
import { newId } from './objects';
import { fields, integer, metadata, oneOf, text } from './parameters';

/** A refund that was asked for and not refused. */
export interface Refund {
  refundId: string;
  chargeId: string;
  paymentIntentId: string;
  idempotencyKey: string | null;
  amount: number;
  currency: string;
  status: 'pending' | 'succeeded' | 'failed';
  reason: Stripe.Refund.Reason | null;
  metadata: Record<string, string>;
  /** Milliseconds since 1970. */
  at: number;
  /** HTTP calls seen so far with this idempotency key. */
  calls: number;
}

type RecordedRefund = Omit<Refund, 'calls'>;

const readCreate = fields({
  amount: integer,
  charge: text,
  metadata,
  payment_intent: text,
  reason: oneOf('duplicate', 'fraudulent', 'requested_by_customer'),
});
const readList = fields({ charge: text, payment_intent: text, limit: integer, starting_after: text });
const readNothing = fields({});

export class Refunds {
  readonly #refunds: RecordedRefund[] = [];
  readonly #charges: Charges;
  readonly #currentKey: () => string | null;
  readonly #isIntent: (id: string) => boolean;
  readonly #emit: Emit;

  /** `currentKey` is that of the request being carried out; `isIntent` knows whether there is such a PaymentIntent. */
  constructor(charges: Charges, currentKey: () => string | null, isIntent: (id: string) => boolean, emit: Emit) {
    this.#emit = emit;
    this.#charges = charges;
    this.#currentKey = currentKey;
    this.#isIntent = isIntent;
  }

  create(parameters: unknown): object {
    const read = readCreate(parameters, '');
    const charge = this.#chargeOf(read);
    if (read.amount !== undefined && read.amount < 1) {
      const message = 'This value must be greater than or equal to 1.';
      throw invalid(message, { code: 'parameter_invalid_integer', param: 'amount' });
    }
    const amount = read.amount ?? charge.amount - charge.refunded;
    checkRefundable(charge, amount);
    charge.refunded += amount;
    const { chargeId, paymentIntentId, currency, refundEnds } = charge;
    const refund: RecordedRefund = {
      refundId: newId('re'),
      chargeId,
      paymentIntentId,
      idempotencyKey: this.#currentKey(),
      amount,
      currency,
      status: refundEnds === 'later' ? 'pending' : 'succeeded',
      reason: read.reason ?? null,
      metadata: read.metadata ?? {},
      at: Date.now(),
    };
    this.#refunds.push(refund);
    this.#emit('refund.created', render(refund));
    this.#emit('charge.refunded', { id: chargeId, object: 'charge', payment_intent: paymentIntentId });
    return render(refund);
  }

  retrieve(parameters: unknown, id: string): object {
    readNothing(parameters, '');
    const refund = this.#refunds.find(({ refundId }) => refundId === id);
    if (!refund) throw noSuch('refund', id, 'refund', 404);
    return render(refund);
  }

  list(parameters: unknown): object {
    const read = readList(parameters, '');
    const wanted = this.#refunds.filter(
      ({ chargeId, paymentIntentId }) =>
        (read.charge === undefined || read.charge === chargeId) &&
        (read.payment_intent === undefined || read.payment_intent === paymentIntentId),
    );
    return listPage(wanted.toReversed().map(render), readPage(read), '/v1/refunds');
  }

  /** As if some time had passed: what was pending has succeeded, and what the bank sends back has failed. */
  settle(): void {
    for (const refund of this.#refunds) {
      const charge = this.#charges.find(refund);
      if (charge?.refundEnds === 'in-failure' && refund.status !== 'failed') {
        refund.status = 'failed';
        charge.refunded -= refund.amount;
        this.#emit('refund.failed', render(refund));
      }
      if (refund.status !== 'pending') continue;
      refund.status = 'succeeded';
      this.#emit('refund.updated', render(refund));
    }
  }

  ledger(): RecordedRefund[] {
    return this.#refunds.map((refund) => ({ ...refund }));
  }

  #chargeOf(read: { charge?: string; payment_intent?: string }): RefundableCharge {
    if (read.charge !== undefined) {
      const charge = this.#charges.find({ chargeId: read.charge });
      if (!charge) throw noSuch('charge', read.charge, 'charge', 404);
      return charge;
    }
    if (read.payment_intent === undefined) {
      throw invalid('One of the following params should be provided for this request: payment_intent or charge.');
    }
    if (!this.#isIntent(read.payment_intent)) {
      throw noSuch('payment_intent', read.payment_intent, 'payment_intent', 404);
    }
    const charge = this.#charges.find({ paymentIntentId: read.payment_intent });
    if (charge) return charge;
    const message = `This PaymentIntent (${read.payment_intent}) does not have a successful charge to refund.`;
    throw refused(message, { param: 'payment_intent' });
  }
}

function checkRefundable({ chargeId, amount: charged, refunded, disputed }: RefundableCharge, amount: number): void {
  if (refunded === charged) {
    throw refused(`Charge ${chargeId} has already been refunded.`, { code: 'charge_already_refunded' });
  }
  if (disputed) {
    throw refused(`Charge ${chargeId} has been charged back; cannot issue a refund.`, { code: 'charge_disputed' });
  }
  if (amount > charged - refunded) {
    const limit = refunded === 0 ? 'charge amount' : 'unrefunded amount on charge';
    const message = `Refund amount (${money(amount)}) is greater than ${limit} (${money(charged - refunded)})`;
    throw refused(message, { param: 'amount' });
  }
}

function money(amount: number): string {
  return `$${(amount / 100).toFixed(2)}`;
}

function refused(message: string, details: { code?: string; param?: string }): Refusal {
  const error = { type: 'invalid_request_error', message, ...details } as const;
  return new Refusal(errorReply(400, error), { executed: true });
}

function render(refund: RecordedRefund) {
  return {
    id: refund.refundId,
    object: 'refund',
    amount: refund.amount,
    balance_transaction: null,
    charge: refund.chargeId,
    created: Math.floor(refund.at / 1000),
    currency: refund.currency,
    customer: null,
    customer_account: null,
    destination_details: { type: 'card', card: { type: 'refund' } },
    ...(refund.status === 'failed' ? { failure_reason: 'lost_or_stolen_card' } : {}),
    metadata: refund.metadata,
    payment_intent: refund.paymentIntentId,
    payment_method: null,
    reason: refund.reason,
    receipt_number: null,
    source_transfer_reversal: null,
    status: refund.status,
    transfer_reversal: null,
  } satisfies Stripe.Refund;
}

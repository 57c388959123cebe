/** Disputes: payments that customers claim back from their banks. Opened by the sandbox alone, and read by the API. */
import type { Charges } from './charges';
import { noSuch } from './errors';
import type { Emit } from './events';
import { newId } from './objects';
import { fields } from './parameters';

const readNothing = fields({});

export class Disputes {
  readonly #disputes = new Map<string, { id: string; object: string; payment_intent: string }>();

  constructor(
    private readonly charges: Charges,
    private readonly emit: Emit,
  ) {}

  open(paymentIntentId: string): string {
    const charge = this.charges.find({ paymentIntentId });
    if (!charge) throw new Error(`${paymentIntentId} has no charge`);
    charge.disputed = true;
    const dispute = {
      id: newId('du'),
      object: 'dispute',
      amount: charge.amount,
      balance_transactions: [],
      charge: charge.chargeId,
      created: Math.floor(Date.now() / 1_000),
      currency: charge.currency,
      is_charge_refundable: false,
      livemode: false,
      metadata: {},
      payment_intent: paymentIntentId,
      reason: 'fraudulent',
      status: 'needs_response',
    };
    this.#disputes.set(dispute.id, dispute);
    this.emit('charge.dispute.created', dispute);
    return dispute.id;
  }

  retrieve(parameters: unknown, id: string): object {
    readNothing(parameters, '');
    const found = this.#disputes.get(id);
    if (!found) throw noSuch('dispute', id, 'dispute', 404);
    return found;
  }
}

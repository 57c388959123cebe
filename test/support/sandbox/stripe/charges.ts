/** Charges that really happened: what each took, and what of it was given back. */
import { cardOutcome } from './cards';
import type { IntentState } from './objects';

/** A charge that really happened. */
export interface Charge {
  chargeId: string;
  paymentIntentId: string;
  idempotencyKey: string | null;
  amount: number;
  currency: string;
  metadata: Record<string, string>;
  /** Milliseconds since 1970. */
  at: number;
  /** HTTP calls seen so far with this idempotency key. */
  calls: number;
}

export type RecordedCharge = Omit<Charge, 'calls'>;

/** What can be given back of a charge, and what the bank does with it. */
export interface RefundableCharge extends RecordedCharge {
  refunded: number;
  disputed: boolean;
  /** What becomes of a refund some time after it was asked for. */
  refundEnds: 'at-once' | 'later' | 'in-failure';
}

export class Charges {
  readonly #charges: RefundableCharge[] = [];

  add({ id, amount, currency, metadata, paymentMethod }: IntentState, chargeId: string, key: string | null): void {
    const outcome = cardOutcome(paymentMethod ?? '');
    const { refundEnds = 'at-once', disputed = false } = outcome?.kind === 'succeeds' ? outcome : {};
    const charge = { chargeId, paymentIntentId: id, idempotencyKey: key, amount, currency, metadata, at: Date.now() };
    this.#charges.push({ ...charge, refunded: 0, disputed, refundEnds });
  }

  find(wanted: { paymentIntentId: string } | { chargeId: string }): RefundableCharge | undefined {
    return this.#charges.find((charge) =>
      'chargeId' in wanted ? charge.chargeId === wanted.chargeId : charge.paymentIntentId === wanted.paymentIntentId,
    );
  }

  ledger(): RecordedCharge[] {
    return this.#charges.map((charge) => ({ ...charge }));
  }
}

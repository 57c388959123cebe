/** Stripe's test payment methods ("Testing", docs.stripe.com/testing): what the bank behind each one says. */
export type CardOutcome =
  | {
      kind: 'succeeds';
      /** What becomes of its refunds, if they do not succeed at once. */
      refundEnds?: 'later' | 'in-failure';
      /** The customer takes the money back from the bank, so that it cannot be refunded. */
      disputed?: true;
    }
  | { kind: 'needs-authentication' }
  | { kind: 'declines'; code: string; declineCode?: string; message: string };

const OUTCOMES = new Map<string, CardOutcome>([
  ['pm_card_visa', { kind: 'succeeds' }],
  ['pm_card_pendingRefund', { kind: 'succeeds', refundEnds: 'later' }],
  ['pm_card_refundFail', { kind: 'succeeds', refundEnds: 'in-failure' }],
  ['pm_card_createDispute', { kind: 'succeeds', disputed: true }],
  ['pm_card_authenticationRequired', { kind: 'needs-authentication' }],
  ['pm_card_chargeDeclined', declined('generic_decline', 'Your card was declined.')],
  ['pm_card_chargeDeclinedInsufficientFunds', declined('insufficient_funds', 'Your card has insufficient funds.')],
  ['pm_card_chargeDeclinedFraudulent', declined('fraudulent', 'Your card was declined.')],
  ['pm_card_chargeDeclinedExpiredCard', { kind: 'declines', code: 'expired_card', message: 'Your card has expired.' }],
]);

/** Undefined when there is no such payment method. */
export function cardOutcome(paymentMethod: string): CardOutcome | undefined {
  return OUTCOMES.get(paymentMethod);
}

function declined(declineCode: string, message: string): CardOutcome {
  return { kind: 'declines', code: 'card_declined', declineCode, message };
}

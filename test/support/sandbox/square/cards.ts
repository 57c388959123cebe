/**
 * Square's test tokens ("Sandbox Payments", developer.squareup.com/docs/devtools/sandbox/payments, "Payment tokens for
 * testing the Payments API"): why the bank behind each one refuses.
 */
const REFUSALS = new Map([
  ['cnon:card-nonce-declined', 'GENERIC_DECLINE'],
  ['cnon:card-nonce-rejected-cvv', 'CVV_FAILURE'],
  ['cnon:card-nonce-rejected-postalcode', 'ADDRESS_VERIFICATION_FAILURE'],
  ['cnon:card-nonce-rejected-expiration', 'EXPIRATION_FAILURE'],
  ['cnon:card-nonce-already-used', 'CARD_TOKEN_USED'],
  ['cnon:card-nonce-insufficient-funds', 'INSUFFICIENT_FUNDS'],
]);

/** `taken`, the code with which it is declined, or undefined when there is no such token. */
export function outcomeOf(sourceId: string): string | undefined {
  return sourceId === 'cnon:card-nonce-ok' ? 'taken' : REFUSALS.get(sourceId);
}

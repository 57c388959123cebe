/**
 * Stripe, as far as the service uses it. Every effect is asked for in one request under the caller's provider key.
 *
 * Every method resolves with an answer and never rejects. A definite no (`declined`, `refused`) is about this call
 * alone: an earlier call with the same key that ended `unknown` may still have had its effect. IDEMPOTENCY_MISMATCH says
 * that one was made with other parameters, so it is no such no: only a lookup can tell what became of it.
 *
 * Process killed before the request left: nothing happened. Killed after it: the effect may have happened, and the same
 * key within STRIPE_KEY_WINDOW_MS brings back that answer; later only a lookup can tell.
 */
import { createCharges, type Charges } from './charges';
import { createStripeClient, type StripeOptions } from './client';
import { createPayouts, type Payouts } from './payouts';
import { createRefunds, type Refunds } from './refunds';
import { createReports, type Reports } from './reports';
import { createTransfers, type Transfers } from './transfers';

export type { ChargeRequest } from './charges';
export type { EffectCall } from '../calls';
export type { Charge } from './payment-intent';
export type { Payout, PayoutRequest } from './payouts';
export { REFUND_REASONS, type Refund, type RefundRequest } from './refunds';
export type { Reported } from './reports';
export type { Transfer, TransferRequest } from './transfers';

const MINUTE_MS = 60 * 1000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * For this long after its first use a key certainly brings back the first answer; afterwards the same key may have its
 * effect again. "Idempotent requests" (docs.stripe.com/api/idempotent_requests): keys may be removed once they are at
 * least 24 hours old.
 */
export const STRIPE_KEY_WINDOW_MS = 24 * HOUR_MS;

/**
 * Only this long after the last possible effect does a search that finds nothing prove anything. "Search PaymentIntents"
 * (docs.stripe.com/api/payment_intents/search): searchable in less than a minute under normal conditions, up to an
 * hour behind during outages.
 */
export const STRIPE_SEARCH_LAG_MS = HOUR_MS;

/**
 * The same for lists. They are not behind, as the search is; the time is for a request that Stripe was still carrying out
 * when it was given up here. Stripe's own SDKs wait 80 s for an answer.
 */
export const STRIPE_LIST_LAG_MS = 5 * MINUTE_MS;

export interface StripeAdapter extends Charges, Refunds, Transfers, Payouts, Reports {}

export function createStripeAdapter(options: StripeOptions): StripeAdapter {
  const client = createStripeClient(options);
  return {
    ...createCharges(client),
    ...createRefunds(client),
    ...createTransfers(client),
    ...createPayouts(client),
    ...createReports(client),
  };
}

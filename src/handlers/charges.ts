/** How each provider is asked to charge a customer. */
import { z } from 'zod';
import type { PaymentPayload } from '../catalogue/payment-process';
import {
  SQUARE_KEY_WINDOW_MS,
  SQUARE_LIST_LAG_MS,
  type SquareAdapter,
  type SquareCharge,
} from '../providers/square/adapter';
import {
  STRIPE_KEY_WINDOW_MS,
  STRIPE_SEARCH_LAG_MS,
  type Charge as StripeCharge,
  type StripeAdapter,
} from '../providers/stripe/adapter';
import type { HandlerContext, KeyedEffect } from './handler';

/** So long a customer may take to authenticate a payment: seats are not held for ever. */
const AUTHENTICATION_WAIT_MS = 60 * 60 * 1_000;

export const squareChargeValue = z.object({ chargeId: z.string(), amount: z.int(), currency: z.string() });
export const stripeChargeValue = z.object({ paymentIntentId: z.string(), ...squareChargeValue.shape });

export type Charged = StripeCharge | SquareCharge;
type ChargeEffect = (payload: PaymentPayload, context: HandlerContext) => KeyedEffect<Charged>;

export function stripeCharge(stripe: StripeAdapter): ChargeEffect {
  return ({ amount, currency, paymentMethod, venueId, eventId }, { jobId }) => {
    const metadata = { venue_id: venueId, event_id: eventId };
    return {
      name: 'charge',
      intent: { provider: 'stripe', amount, currency },
      value: stripeChargeValue,
      keyWindowMs: STRIPE_KEY_WINDOW_MS,
      searchLagMs: STRIPE_SEARCH_LAG_MS,
      call: (providerKey, limits) =>
        stripe.charge({ jobId, amount, currency, paymentMethod, metadata }, { providerKey, ...limits }),
      find: (providerKey, limits) => stripe.findCharge(providerKey, limits),
      held: { waitMs: AUTHENTICATION_WAIT_MS, look: (reference, limits) => stripe.lookAtHeld(reference, limits) },
    };
  };
}

/** Square has a customer authenticated before there is a token to pay with, so nothing is ever held back. */
export function squareCharge(square: SquareAdapter): ChargeEffect {
  return ({ amount, currency, paymentMethod }) => ({
    name: 'charge',
    intent: { provider: 'square', amount, currency },
    value: squareChargeValue,
    keyWindowMs: SQUARE_KEY_WINDOW_MS,
    searchLagMs: SQUARE_LIST_LAG_MS,
    call: (providerKey, limits) => square.charge({ amount, currency, paymentMethod }, { providerKey, ...limits }),
    find: (providerKey, { askedMsAgo, ...limits }) => square.findCharge(providerKey, askedMsAgo, limits),
  });
}

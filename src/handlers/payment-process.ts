import { z } from 'zod';
import { paymentProcess, type PaymentPayload, type PaymentResult } from '../catalogue/payment-process';
import {
  STRIPE_KEY_WINDOW_MS,
  STRIPE_SEARCH_LAG_MS,
  type Charge,
  type StripeAdapter,
} from '../providers/stripe/adapter';
import { defineHandler, type HandlerContext, type KeyedEffect } from './handler';
import { done, failed } from './outcome';

/** So long a customer may take to authenticate a payment: seats are not held for ever. */
const AUTHENTICATION_WAIT_MS = 60 * 60 * 1_000;

export const chargeValue = z.object({
  paymentIntentId: z.string(),
  chargeId: z.string(),
  amount: z.int(),
  currency: z.string(),
});

/** Charges the customer once. A decline is final at once: only the customer can change it. */
export function paymentProcessHandler(stripe: StripeAdapter) {
  return defineHandler(paymentProcess, async (payload, context) => {
    const charged = await context.effects.perform(chargeEffect(stripe, payload, context));
    if (charged.kind === 'ended') return charged.outcome;
    if (charged.kind === 'declined')
      return failed(charged.code, charged.message, { replayable: charged.code !== 'AMOUNT_NOT_PAYABLE' });
    return done<PaymentResult>({
      transactionId: context.jobId,
      chargeId: charged.value.chargeId,
      paymentIntentId: charged.value.paymentIntentId,
      provider: 'stripe',
      amount: charged.value.amount,
      currency: charged.value.currency.toUpperCase(),
      status: 'completed',
      processedAt: new Date().toISOString(),
    });
  });
}

function chargeEffect(stripe: StripeAdapter, payload: PaymentPayload, context: HandlerContext): KeyedEffect<Charge> {
  const { amount, currency, paymentMethod, venueId, eventId } = payload;
  const metadata = { venue_id: venueId, event_id: eventId };
  return {
    name: 'charge',
    intent: { provider: 'stripe', amount, currency },
    value: chargeValue,
    keyWindowMs: STRIPE_KEY_WINDOW_MS,
    searchLagMs: STRIPE_SEARCH_LAG_MS,
    call: (providerKey, limits) =>
      stripe.charge({ jobId: context.jobId, amount, currency, paymentMethod, metadata }, { providerKey, ...limits }),
    find: (providerKey, limits) => stripe.findCharge(providerKey, limits),
    held: { waitMs: AUTHENTICATION_WAIT_MS, look: (reference, limits) => stripe.lookAtHeld(reference, limits) },
  };
}

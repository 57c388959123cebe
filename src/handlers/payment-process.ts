import { paymentProcess, type PaymentResult } from '../catalogue/payment-process';
import { squareCharge, stripeCharge, type Charged } from './charges';
import { defineHandler } from './handler';
import { done, failed } from './outcome';
import { noAccount, type PaymentProviders } from './payment-providers';

/** Charges the customer once. A decline is final at once: only the customer can change it. */
export function paymentProcessHandler({ stripe, square }: PaymentProviders) {
  const charges = { stripe: stripe && stripeCharge(stripe), square: square && squareCharge(square) };
  return defineHandler(paymentProcess, async (payload, context) => {
    // A job without a provider is of before there was another.
    const provider = payload.provider ?? 'stripe';
    const charge = charges[provider];
    if (!charge) return noAccount(provider);
    const charged = await context.effects.perform(charge(payload, context));
    if (charged.kind === 'ended') return charged.outcome;
    if (charged.kind === 'declined')
      return failed(charged.code, charged.message, { replayable: charged.code !== 'AMOUNT_NOT_PAYABLE' });
    return done<PaymentResult>(resultOf(context.jobId, charged.value));
  });
}

function resultOf(transactionId: string, { currency, ...charged }: Charged): PaymentResult {
  const paid = {
    transactionId,
    currency: currency.toUpperCase(),
    status: 'completed',
    processedAt: new Date().toISOString(),
  } as const;
  return 'paymentIntentId' in charged
    ? { ...charged, ...paid, provider: 'stripe' }
    : { ...charged, ...paid, provider: 'square' };
}

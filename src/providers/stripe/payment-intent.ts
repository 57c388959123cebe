/**
 * What a PaymentIntent says about a charge. The states are those of Stripe's "How PaymentIntents work"
 * (docs.stripe.com/payments/paymentintents/lifecycle).
 */
import { z } from 'zod';
import type { DoneAnswer, HeldAnswer, LookupAnswer, ProviderAnswer } from '../answer';
import { fromStripeAmount } from './amounts';
import { UNREADABLE } from './errors';

export interface Charge {
  paymentIntentId: string;
  chargeId: string;
  /** What the provider received, in minor units of ISO 4217. */
  amount: number;
  currency: string;
}

/** The part of a PaymentIntent that the service relies on; anything that lacks it is no answer at all. */
const paymentIntent = z.object({
  id: z.string().startsWith('pi_'),
  object: z.literal('payment_intent'),
  status: z.string(),
  amount: z.number().int(),
  amount_received: z.number().int(),
  currency: z.string(),
  created: z.number(),
  latest_charge: z.union([z.string(), z.object({ id: z.string() }).transform((charge) => charge.id)]).nullable(),
  cancellation_reason: z.string().nullish(),
  last_payment_error: z.object({ code: z.string().nullish(), decline_code: z.string().nullish() }).nullish(),
  metadata: z.record(z.string(), z.string()),
});
const searchResult = z.object({ object: z.literal('search_result'), data: z.array(paymentIntent) });

export type PaymentIntent = z.infer<typeof paymentIntent>;

export function parsePaymentIntent(result: unknown): PaymentIntent | undefined {
  return paymentIntent.safeParse(result).data;
}

export function parseSearchResult(result: unknown): PaymentIntent[] | undefined {
  return searchResult.safeParse(result).data?.data;
}

/** The answer to "create and confirm this PaymentIntent". */
export function chargeAnswer(result: unknown): ProviderAnswer<Charge> {
  const intent = parsePaymentIntent(result);
  if (!intent) return UNREADABLE;
  const state = commonAnswer(intent);
  if (state) return state;
  switch (intent.status) {
    case 'requires_payment_method':
    case 'canceled':
      return declined(intent);
    default:
      return undecided(intent);
  }
}

/** The answer to "what became of it?"; undefined when this PaymentIntent certainly holds no charge. */
export function lookupAnswer(intent: PaymentIntent): Exclude<LookupAnswer<Charge>, { kind: 'absent' }> | undefined {
  const state = commonAnswer(intent);
  if (state) return state;
  return intent.status === 'requires_payment_method' || intent.status === 'canceled' ? undefined : undecided(intent);
}

/** The state of a charge that was held back; `open`: it did not happen, but the customer could still make it happen. */
export function heldAnswer(result: unknown): HeldAnswer<Charge> | { kind: 'open' } {
  const intent = parsePaymentIntent(result);
  if (!intent) return UNREADABLE;
  const state = commonAnswer(intent);
  if (state) return state;
  switch (intent.status) {
    case 'canceled':
      return declined(intent);
    case 'requires_payment_method':
    case 'requires_confirmation':
      return { kind: 'open' };
    default:
      return undecided(intent);
  }
}

function declined(intent: PaymentIntent): Extract<ProviderAnswer<never>, { kind: 'declined' }> {
  const { decline_code, code: errorCode } = intent.last_payment_error ?? {};
  const unsaid = intent.cancellation_reason === 'abandoned' ? 'AUTHENTICATION_EXPIRED' : intent.status;
  const code = decline_code || errorCode || unsaid;
  return { kind: 'declined', code, message: `Stripe made no charge: ${code}`, reference: intent.id, aboutKey: true };
}

function commonAnswer(intent: PaymentIntent): DoneAnswer<Charge> | ActionAnswer | undefined {
  if (intent.status === 'succeeded' && intent.latest_charge !== null) {
    const value: Charge = {
      paymentIntentId: intent.id,
      chargeId: intent.latest_charge,
      amount: fromStripeAmount(intent.amount_received, intent.currency),
      currency: intent.currency,
    };
    return { kind: 'done', value, reference: intent.id };
  }
  if (intent.status !== 'requires_action') return undefined;
  const message = 'Stripe waits for the customer to authenticate the payment';
  return { kind: 'action', code: 'requires_action', message, reference: intent.id };
}
type ActionAnswer = Extract<ProviderAnswer<never>, { kind: 'action' }>;

/** `processing` ends in success or failure later; a state this code does not know may end in anything. */
function undecided({ id, status }: PaymentIntent): Extract<LookupAnswer<never>, { kind: 'unknown' }> {
  const code = status === 'processing' ? 'PROCESSING' : 'UNEXPECTED_STATUS';
  return { kind: 'unknown', code, message: `PaymentIntent ${id} is ${status}` };
}

/** Payouts: from the balance of a connected account to its bank account or debit card. */
import type Stripe from 'stripe';
import { z } from 'zod';
import type { DoneAnswer, LookupAnswer, PlainAnswer } from '../answer';
import { NOT_PAYABLE, toStripeAmount } from './amounts';
import type { EffectCall, LookupCall } from '../calls';
import type { StripeClient } from './client';
import { UNREADABLE } from './errors';
import { findInList } from './lists';

export interface PayoutRequest {
  jobId: string;
  /** The connected account that is paid out, `acct_…`. */
  accountId: string;
  /** Its bank account or debit card, `ba_…` or `card_…`. */
  destination: string;
  /** In minor units of ISO 4217. */
  amount: number;
  currency: string;
  method: 'instant' | 'standard';
  /** Ids of the caller's that help a person in Stripe's dashboard; stored there for ever, so no personal data. */
  metadata: Record<string, string>;
}

export interface Payout {
  payoutId: string;
  /** `pending`: Stripe has taken it on and the money is still on its way; a bank may yet send it back. */
  status: 'completed' | 'pending';
  /** When the bank is expected to have it: seconds since 1970. */
  arrivalDate: number;
}

/** Where to look for a payout, and how far back. */
export interface PayoutPlace extends Pick<PayoutRequest, 'accountId' | 'destination'> {
  /** Milliseconds since the payout was first asked for. */
  askedMsAgo: number;
}

export interface Payouts {
  /**
   * Declined as BALANCE_INSUFFICIENT, PAYOUT_LIMIT_EXCEEDED, INSTANT_UNSUPPORTED, PAYOUTS_NOT_ALLOWED or
   * BANK_ACCOUNT_UNUSABLE where that is the reason.
   */
  payOut(request: PayoutRequest, call: EffectCall<Payout>): Promise<PlainAnswer<Payout>>;
  /** See STRIPE_LIST_LAG_MS for when `absent` counts. */
  findPayout(place: PayoutPlace, providerKey: string, call: LookupCall): Promise<LookupAnswer<Payout>>;
}

/** The part of a payout that the service relies on; anything that lacks it is no answer at all. */
export const payout = z.object({
  id: z.string().min(1),
  object: z.literal('payout'),
  status: z.string(),
  arrival_date: z.number().int(),
  amount: z.number().int(),
  currency: z.string(),
  failure_code: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullable(),
});
type ParsedPayout = z.infer<typeof payout>;

/** Our clock and Stripe's may differ by so much. */
const CLOCK_MARGIN_MS = 10 * 60 * 1000;

export function createPayouts(client: StripeClient): Payouts {
  return {
    payOut: async (request, call) => {
      const amount = toStripeAmount(request.amount, request.currency);
      if (amount === undefined) return NOT_PAYABLE;
      const parameters = { ...parametersOf(request, call.providerKey), amount };
      return client.act(call, async ({ payouts }, settings) => {
        const account = { ...settings, stripeAccount: request.accountId };
        const parsed = payout.safeParse(await payouts.create(parameters, account));
        return parsed.success ? payoutState(parsed.data) : UNREADABLE;
      });
    },
    findPayout: ({ accountId, destination, askedMsAgo }, providerKey, call) =>
      client.look(call, ({ payouts }, settings) => {
        const created = { gte: Math.floor((Date.now() - askedMsAgo - CLOCK_MARGIN_MS) / 1000) };
        return findInList(
          payout,
          (page) => payouts.list({ destination, created, ...page }, { ...settings, stripeAccount: accountId }),
          (one) => {
            const state = payoutState(one);
            return one.metadata?.['provider_key'] === providerKey && state.kind !== 'declined' ? state : undefined;
          },
        );
      }),
  };
}

function parametersOf(request: PayoutRequest, providerKey: string): Omit<Stripe.PayoutCreateParams, 'amount'> {
  return {
    currency: request.currency.toLowerCase(),
    method: request.method,
    destination: request.destination,
    metadata: { ...request.metadata, job_id: request.jobId, provider_key: providerKey },
  };
}

/** The states of docs.stripe.com/api/payouts/object; one that this code does not know may end in anything. */
export function payoutState(one: ParsedPayout): Exclude<PlainAnswer<Payout>, { kind: 'refused' }> {
  switch (one.status) {
    case 'paid':
      return done(one, 'completed');
    case 'pending':
    case 'in_transit':
      return done(one, 'pending');
    case 'failed':
    case 'canceled': {
      const code = one.failure_code || one.status;
      return { kind: 'declined', code, message: `Stripe made no payout: ${code}`, reference: one.id, aboutKey: true };
    }
    default:
      return { kind: 'unknown', code: 'UNEXPECTED_STATUS', message: `Payout ${one.id} is ${one.status}` };
  }
}

function done({ id, arrival_date }: ParsedPayout, status: Payout['status']): DoneAnswer<Payout> {
  return { kind: 'done', value: { payoutId: id, status, arrivalDate: arrival_date }, reference: id };
}

/** Refunds of charges, each asked for by the PaymentIntent that holds the charge. */
import type Stripe from 'stripe';
import { z } from 'zod';
import type { DoneAnswer, LookupAnswer, ProviderAnswer } from '../answer';
import { fromStripeAmount, NOT_PAYABLE, toStripeAmount } from './amounts';
import type { EffectCall, LookupCall } from '../calls';
import type { StripeClient } from './client';
import { UNREADABLE } from './errors';
import { findInList } from './lists';

export const REFUND_REASONS = ['duplicate', 'fraudulent', 'requested_by_customer'] as const;

export interface RefundRequest {
  jobId: string;
  paymentIntentId: string;
  /** In minor units of ISO 4217. */
  amount: number;
  /** The charge's. */
  currency: string;
  reason: (typeof REFUND_REASONS)[number] | undefined;
  /** Ids of the caller's that help a person in Stripe's dashboard; stored there for ever, so no personal data. */
  metadata: Record<string, string>;
}

export interface Refund {
  refundId: string;
  amount: number;
  currency: string;
  /** `pending`: Stripe has taken it on and the money is still on its way; a bank may yet send it back. */
  status: 'completed' | 'pending';
}

export interface Refunds {
  /** Declined as ALREADY_REFUNDED, REFUND_EXCEEDS_PAYMENT, PAYMENT_DISPUTED, NOT_REFUNDABLE or AMOUNT_NOT_PAYABLE where that is the reason. */
  refund(request: RefundRequest, call: EffectCall<Refund>): Promise<ProviderAnswer<Refund>>;
  /** See STRIPE_LIST_LAG_MS for when `absent` counts. */
  findRefund(paymentIntentId: string, providerKey: string, call: LookupCall): Promise<LookupAnswer<Refund>>;
  /** All refunds of a charge as one, whoever asked for them: the newest with the amount of all. */
  allRefunds(paymentIntentId: string, call: LookupCall): Promise<LookupAnswer<Refund>>;
}

/** The part of a refund that the service relies on; anything that lacks it is no answer at all. */
export const refund = z.object({
  id: z.string().min(1),
  object: z.literal('refund'),
  amount: z.number().int(),
  currency: z.string(),
  status: z.string(),
  failure_reason: z.string().nullish(),
  payment_intent: z.union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)]).nullish(),
  metadata: z.record(z.string(), z.string()).nullable(),
});
type ParsedRefund = z.infer<typeof refund>;

/** Of errors that come without a code ("Refund amount is greater than …"). */
const MEANINGS = new Map([
  ['amount', 'REFUND_EXCEEDS_PAYMENT'],
  ['payment_intent', 'NOT_REFUNDABLE'],
]);

export function createRefunds(client: StripeClient): Refunds {
  return {
    refund: async (request, call) => {
      const amount = toStripeAmount(request.amount, request.currency);
      if (amount === undefined) return NOT_PAYABLE;
      const parameters = { ...parametersOf(request, call.providerKey), amount };
      return client.act(
        call,
        async ({ refunds }, settings) => refundAnswer(await refunds.create(parameters, settings)),
        MEANINGS,
      );
    },
    findRefund: (paymentIntentId, providerKey, call) =>
      client.look(call, (stripe, settings) =>
        search(paymentIntentId, stripe, settings, (one) => {
          const state = refundState(one);
          return one.metadata?.['provider_key'] === providerKey && state.kind !== 'declined' ? state : undefined;
        }),
      ),
    allRefunds: (paymentIntentId, call) =>
      client.look(call, (stripe, settings) => sumUp(paymentIntentId, stripe, settings)),
  };
}

function parametersOf(request: RefundRequest, providerKey: string): Stripe.RefundCreateParams {
  return {
    payment_intent: request.paymentIntentId,
    ...(request.reason === undefined ? {} : { reason: request.reason }),
    metadata: { ...request.metadata, job_id: request.jobId, provider_key: providerKey },
  };
}

/** The first answer that `judge` has about a refund of the charge, from the newest on. */
function search(
  paymentIntentId: string,
  { refunds }: Stripe,
  settings: Stripe.RequestOptions,
  judge: Parameters<typeof findInList<ParsedRefund, Refund>>[2],
): Promise<LookupAnswer<Refund>> {
  return findInList(refund, (page) => refunds.list({ payment_intent: paymentIntentId, ...page }, settings), judge);
}

/** Of one whose state cannot be told nothing is counted. */
export async function sumUp(
  paymentIntentId: string,
  stripe: Stripe,
  settings: Stripe.RequestOptions,
): Promise<LookupAnswer<Refund>> {
  const given: DoneAnswer<Refund>[] = [];
  const searched = await search(paymentIntentId, stripe, settings, (one) => {
    const state = refundState(one);
    if (state.kind === 'done') given.push(state);
    return undefined;
  });
  const [newest] = given;
  if (searched.kind !== 'absent' || !newest) return searched;
  const amount = given.reduce((sum, { value }) => sum + value.amount, 0);
  const status = given.every(({ value }) => value.status === 'completed') ? 'completed' : 'pending';
  return { ...newest, value: { ...newest.value, amount, status } };
}

function refundAnswer(result: unknown): ProviderAnswer<Refund> {
  const parsed = refund.safeParse(result).data;
  return parsed ? refundState(parsed) : UNREADABLE;
}

/** The states of docs.stripe.com/api/refunds/object; one that this code does not know may end in anything. */
export function refundState(one: ParsedRefund): RefundState {
  switch (one.status) {
    case 'succeeded':
      return done(one, 'completed');
    // Stripe itself asks the customer for what it lacks, such as the number of an account.
    case 'requires_action':
    case 'pending':
      return done(one, 'pending');
    case 'failed':
    case 'canceled': {
      const code = one.failure_reason || one.status;
      return { kind: 'declined', code, message: `Stripe made no refund: ${code}`, reference: one.id, aboutKey: true };
    }
    default:
      return { kind: 'unknown', code: 'UNEXPECTED_STATUS', message: `Refund ${one.id} is ${one.status}` };
  }
}
type RefundState = Exclude<ProviderAnswer<Refund>, { kind: 'action' | 'refused' }>;

function done({ id, amount, currency }: ParsedRefund, status: Refund['status']): DoneAnswer<Refund> {
  return {
    kind: 'done',
    value: { refundId: id, amount: fromStripeAmount(amount, currency), currency, status },
    reference: id,
  };
}

/** One charge is one PaymentIntent, created and confirmed in one request. */
import type Stripe from 'stripe';
import type { HeldAnswer, LookupAnswer, ProviderAnswer } from '../answer';
import { NOT_PAYABLE, toStripeAmount } from './amounts';
import type { EffectCall, LookupCall } from '../calls';
import type { StripeClient } from './client';
import { UNREADABLE } from './errors';
import {
  chargeAnswer,
  heldAnswer,
  lookupAnswer,
  parsePaymentIntent,
  parseSearchResult,
  type Charge,
} from './payment-intent';

export interface ChargeRequest {
  jobId: string;
  /** In minor units of ISO 4217. */
  amount: number;
  currency: string;
  /** The id of a Stripe payment method, `pm_…`. */
  paymentMethod: string;
  /** Ids of the caller's that help a person in Stripe's dashboard; stored there for ever, so no personal data. */
  metadata: Record<string, string>;
}

export interface Charges {
  charge(request: ChargeRequest, call: EffectCall<Charge>): Promise<ProviderAnswer<Charge>>;
  /** Asks by search, which runs behind: see STRIPE_SEARCH_LAG_MS for when `absent` counts. The caller waits. */
  findCharge(providerKey: string, call: LookupCall): Promise<LookupAnswer<Charge>>;
  /**
   * What became of a charge that Stripe holds back until the customer has authenticated it. One that failed there, or is
   * given up, is canceled: whoever has its client secret could else try another card after everybody was told that it
   * failed. Declined as AUTHENTICATION_EXPIRED when it is given up.
   */
  lookAtHeld(paymentIntentId: string, call: LookupCall & { giveUp: boolean }): Promise<HeldAnswer<Charge>>;
}

export function createCharges(client: StripeClient): Charges {
  return {
    charge: async (request, call) => {
      const amount = toStripeAmount(request.amount, request.currency);
      if (amount === undefined) return NOT_PAYABLE;
      const parameters = { ...parametersOf(request, call.providerKey), amount };
      return client.act(call, async ({ paymentIntents }, settings) =>
        chargeAnswer(await paymentIntents.create(parameters, settings)),
      );
    },
    findCharge: (providerKey, call) =>
      client.look(call, (stripe, settings) => findCharge(providerKey, stripe, settings)),
    lookAtHeld: (paymentIntentId, call) =>
      client.look(call, (stripe, settings) => lookAtHeld(paymentIntentId, call.giveUp, stripe, settings)),
  };
}

function parametersOf(request: ChargeRequest, providerKey: string): Omit<Stripe.PaymentIntentCreateParams, 'amount'> {
  return {
    currency: request.currency.toLowerCase(),
    payment_method: request.paymentMethod,
    confirm: true,
    // A job has no browser to send to another page: methods that need one are left out.
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
    metadata: { ...request.metadata, job_id: request.jobId, provider_key: providerKey },
  };
}

async function findCharge(
  providerKey: string,
  { paymentIntents }: Stripe,
  settings: Stripe.RequestOptions,
): Promise<LookupAnswer<Charge>> {
  const query = `metadata['provider_key']:'${providerKey.replace(/[\\']/g, '\\$&')}'`;
  const found = parseSearchResult(await paymentIntents.search({ query }, settings));
  if (!found) return UNREADABLE;
  // The search ignores case, keys do not. Oldest first, whereas the search lists the newest first.
  const hits = found.filter((intent) => intent.metadata['provider_key'] === providerKey);
  let answer: LookupAnswer<Charge> = { kind: 'absent' };
  for (const hit of hits.toReversed().toSorted((one, other) => one.created - other.created)) {
    // The index may hold an earlier state of it; only success is final.
    const current =
      hit.status === 'succeeded' ? hit : parsePaymentIntent(await paymentIntents.retrieve(hit.id, {}, settings));
    const state = current ? lookupAnswer(current) : UNREADABLE;
    if (state?.kind === 'done') return state;
    if (state) answer = state;
  }
  return answer;
}

async function lookAtHeld(
  id: string,
  giveUp: boolean,
  { paymentIntents }: Stripe,
  settings: Stripe.RequestOptions,
): Promise<HeldAnswer<Charge>> {
  const answer = heldAnswer(await paymentIntents.retrieve(id, {}, settings));
  if (answer.kind !== 'open' && (answer.kind !== 'action' || !giveUp)) return answer;
  return closeHeld(id, { paymentIntents }, settings, answer.kind === 'action' ? 'abandoned' : undefined);
}

/** Sees to it that a charge that did not happen can no longer happen; says so where it has. */
export async function closeHeld(
  id: string,
  { paymentIntents }: Pick<Stripe, 'paymentIntents'>,
  settings: Stripe.RequestOptions,
  why?: 'abandoned',
): Promise<HeldAnswer<Charge>> {
  const reason = why === undefined ? {} : { cancellation_reason: why };
  try {
    return closed(heldAnswer(await paymentIntents.cancel(id, reason, settings)));
  } catch (error) {
    // The customer may have been quicker, or an earlier call of ours whose answer was lost.
    const now = heldAnswer(await paymentIntents.retrieve(id, {}, settings));
    if (now.kind === 'done' || now.kind === 'declined') return now;
    throw error;
  }
}

function closed(answer: ReturnType<typeof heldAnswer>): HeldAnswer<Charge> {
  return answer.kind === 'open' ? UNREADABLE : answer;
}

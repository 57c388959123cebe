import { z } from 'zod';
import { payoutProcess, type PayoutPayload, type PayoutResult } from '../catalogue/payout-process';
import {
  STRIPE_KEY_WINDOW_MS,
  STRIPE_LIST_LAG_MS,
  type Payout,
  type StripeAdapter,
  type Transfer,
} from '../providers/stripe/adapter';
import { defineHandler, type HandlerContext, type KeyedEffect } from './handler';
import { done, failed, type HandlerOutcome } from './outcome';

/** Sales become available day by day, limits are counted by the day: looking once an hour is often enough. */
const ONCE_MORE_MS = 60 * 60 * 1_000;
const PASSING = ['BALANCE_INSUFFICIENT', 'PAYOUT_LIMIT_EXCEEDED'];
/** Sales are available within a week at the latest; what is missing then does not come by itself. */
const PASSES_WITHIN_MS = 7 * 24 * 60 * 60 * 1_000;

const KEPT_FOR = { keyWindowMs: STRIPE_KEY_WINDOW_MS, searchLagMs: STRIPE_LIST_LAG_MS };

export const transferValue = z.object({ transferId: z.string(), amount: z.int(), currency: z.string() });
export const payoutValue = z.object({
  payoutId: z.string(),
  status: z.enum(['completed', 'pending']),
  arrivalDate: z.int(),
});

/**
 * Pays a venue in two steps: a transfer from our balance to the venue's, then a payout from there to its bank.
 *
 * Killed, or refused, between the two: the ledger knows the transfer, and the next attempt or replay goes on with the
 * payout. A job that gives up there keeps its key, so that nobody transfers a second time by asking again.
 */
export function payoutProcessHandler(stripe: StripeAdapter) {
  return defineHandler(payoutProcess, async (payload, context) => {
    const transferred = await context.effects.perform(transferEffect(stripe, payload, context));
    if (transferred.kind === 'ended') return transferred.outcome;
    if (transferred.kind === 'declined') return refusal(transferred.code, transferred.message);
    const paid = await context.effects.perform(payoutEffect(stripe, payload, context));
    if (paid.kind === 'ended') return paid.outcome;
    if (paid.kind === 'declined') {
      return refusal(paid.code, `${paid.message}; the venue's account has the amount by ${transferred.reference}`);
    }
    return done<PayoutResult>(resultOf(payload, context.jobId, transferred.value, paid.value));
  });
}

function refusal(code: string, message: string): HandlerOutcome<never> {
  if (PASSING.includes(code)) {
    return { kind: 'wait', code, message, afterMs: ONCE_MORE_MS, withinMs: PASSES_WITHIN_MS };
  }
  return failed(code, message, { replayable: true });
}

function transferEffect(
  stripe: StripeAdapter,
  { amount, currency, accountId, venueId }: PayoutPayload,
  { jobId }: HandlerContext,
): KeyedEffect<Transfer> {
  const request = { jobId, amount, currency, accountId, metadata: { venue_id: venueId } };
  return {
    name: 'transfer',
    intent: { provider: 'stripe', amount, currency, accountId },
    value: transferValue,
    ...KEPT_FOR,
    call: (providerKey, limits) => stripe.transfer(request, { providerKey, ...limits }),
    find: (providerKey, limits) => stripe.findTransfer(jobId, providerKey, limits),
  };
}

function payoutEffect(
  stripe: StripeAdapter,
  { amount, currency, accountId, bankAccountId: destination, type: method, venueId }: PayoutPayload,
  { jobId }: HandlerContext,
): KeyedEffect<Payout> {
  const request = { jobId, amount, currency, accountId, destination, method, metadata: { venue_id: venueId } };
  return {
    name: 'payout',
    intent: { provider: 'stripe', amount, currency, accountId, destination, method },
    value: payoutValue,
    ...KEPT_FOR,
    call: (providerKey, limits) => stripe.payOut(request, { providerKey, ...limits }),
    find: (providerKey, { askedMsAgo, ...limits }) =>
      stripe.findPayout({ accountId, destination, askedMsAgo }, providerKey, limits),
  };
}

function resultOf(
  { amount, currency, type }: PayoutPayload,
  jobId: string,
  { transferId }: Transfer,
  { payoutId, status, arrivalDate }: Payout,
): PayoutResult {
  return {
    transactionId: jobId,
    transferId,
    payoutId,
    provider: 'stripe',
    amount,
    currency: currency.toUpperCase(),
    type,
    status,
    arrivesAt: new Date(arrivalDate * 1_000).toISOString(),
    processedAt: new Date().toISOString(),
  };
}

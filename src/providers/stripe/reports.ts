/**
 * What has become of an object that a webhook speaks of, by Stripe's word of now. Several reports may find it in the same
 * state, and one may find what a later report will speak of: everything that is true of it is told each time, and who
 * keeps count tells it once.
 */
import type Stripe from 'stripe';
import { z } from 'zod';
import type { StripeObject, StripeReport } from '../../catalogue/webhook-process';
import { announce, type Announcement } from '../../contract/published-events';
import type { HeldAnswer, LookupAnswer } from '../answer';
import { fromStripeAmount } from './amounts';
import { closeHeld } from './charges';
import type { LookupCall } from '../calls';
import type { StripeClient } from './client';
import { UNREADABLE } from './errors';
import { heldAnswer, parsePaymentIntent, type PaymentIntent } from './payment-intent';
import { payout, payoutState } from './payouts';
import { refund, refundState, sumUp, type Refund } from './refunds';
import { transfer, transferDone } from './transfers';

/** An object as it is now. */
export interface Reported {
  /** What asked for it, if we did: by it the effect is found in the ledger. */
  ours: { jobId: string; providerKey: string } | undefined;
  /** What became of it, as an answer to who asked for it. `open`: it did not happen, but the customer could make it. */
  became: HeldAnswer<unknown> | { kind: 'open' };
  announcements: Announcement[];
}

type Subject = Pick<StripeReport, 'object' | 'objectId' | 'accountId'>;

export interface Reports {
  /**
   * @param call `close` a payment that its customer could still make happen, though nobody waits for it any more
   */
  readReported(subject: Subject, call: LookupCall & { close: boolean }): Promise<LookupAnswer<Reported>>;
}

export function createReports(client: StripeClient): Reports {
  return {
    readReported: (subject, call) =>
      client.look(call, async (stripe, settings): Promise<LookupAnswer<Reported>> => {
        const { objectId, accountId } = subject;
        const account = accountId === undefined ? settings : { ...settings, stripeAccount: accountId };
        const value = await READERS[subject.object]({ id: objectId, accountId, stripe, settings: account, ...call });
        return value ? { kind: 'done', value, reference: objectId } : UNREADABLE;
      }),
  };
}

interface Question {
  id: string;
  accountId: string | undefined;
  stripe: Stripe;
  settings: Stripe.RequestOptions;
  close: boolean;
}

/** Undefined when Stripe's answer is none. */
const READERS: Record<StripeObject, (question: Question) => Promise<Reported | undefined>> = {
  payment: (question) => readPayment(question, false),
  refunded_payment: (question) => readPayment(question, true),
  refund: readRefund,
  dispute: readDispute,
  transfer: readTransfer,
  payout: readPayout,
};

/** @param withRefunds they take another request, and reports of their own tell of them */
async function readPayment(
  { id, stripe, settings, close }: Question,
  withRefunds: boolean,
): Promise<Reported | undefined> {
  const intent = parsePaymentIntent(await stripe.paymentIntents.retrieve(id, {}, settings));
  if (!intent) return undefined;
  const became = await becameOf(intent, { stripe, settings, close });
  const ours = ownerOf(intent.metadata);
  if (!withRefunds) return { ours, became, announcements: announcementsOf(intent) };
  const announcements = await withGivenBack(intent, stripe, settings);
  return announcements && { ours, became, announcements };
}

/** Of a payment that nobody waits for any more: closed, if its customer could still make it happen. */
async function becameOf(
  intent: PaymentIntent,
  { stripe, settings, close }: Pick<Question, 'stripe' | 'settings' | 'close'>,
): Promise<Reported['became']> {
  const now = heldAnswer(intent);
  return close && now.kind === 'open' ? closeHeld(intent.id, stripe, settings) : now;
}

async function readRefund(question: Question): Promise<Reported | undefined> {
  const { id, stripe, settings } = question;
  const read = refund.safeParse(await stripe.refunds.retrieve(id, {}, settings)).data;
  if (!read) return undefined;
  const became = refundState(read);
  const ours = ownerOf(read.metadata);
  const intentId = read.payment_intent;
  if (!intentId) return { ours, became, announcements: [] };
  const intent = parsePaymentIntent(await stripe.paymentIntents.retrieve(intentId, {}, settings));
  const announcements = intent && (await withGivenBack(intent, stripe, settings));
  if (!announcements) return undefined;
  if (became.kind === 'declined') {
    announcements.push(
      announce('payment.refund_failed', id, { ...paymentOf(intent), refundId: id, code: became.code }),
    );
  }
  return { ours, became, announcements };
}

/** What a payment and all its refunds say together; undefined when it cannot be told. */
async function withGivenBack(
  intent: PaymentIntent,
  stripe: Stripe,
  settings: Stripe.RequestOptions,
): Promise<Announcement[] | undefined> {
  const given = await sumUp(intent.id, stripe, settings);
  if (given.kind === 'absent') return announcementsOf(intent);
  if (given.kind !== 'done') return undefined;
  return [...announcementsOf(intent), refundedAnnouncement(intent, given.value)];
}

const dispute = z.object({
  id: z.string(),
  object: z.literal('dispute'),
  amount: z.int(),
  currency: z.string(),
  reason: z.string(),
  status: z.string(),
  payment_intent: refund.shape.payment_intent,
});

async function readDispute(question: Question): Promise<Reported | undefined> {
  const { id, stripe, settings } = question;
  const read = dispute.safeParse(await stripe.disputes.retrieve(id, {}, settings)).data;
  if (!read) return undefined;
  if (!read.payment_intent) return { ours: undefined, became: { kind: 'open' }, announcements: [] };
  const intent = parsePaymentIntent(await stripe.paymentIntents.retrieve(read.payment_intent, {}, settings));
  if (!intent) return undefined;
  const claimed = {
    ...paymentOf(intent),
    disputeId: id,
    amount: fromStripeAmount(read.amount, read.currency),
    reason: read.reason,
    status: read.status,
  };
  const disputed = announce('payment.disputed', id, claimed);
  const became = await becameOf(intent, question);
  return { ours: ownerOf(intent.metadata), became, announcements: [...announcementsOf(intent), disputed] };
}

async function readTransfer({ id, stripe, settings }: Question): Promise<Reported | undefined> {
  const read = transfer.safeParse(await stripe.transfers.retrieve(id, {}, settings)).data;
  return read && { ours: ownerOf(read.metadata), became: transferDone(read), announcements: [] };
}

async function readPayout({ id, accountId, stripe, settings }: Question): Promise<Reported | undefined> {
  const read = payout.safeParse(await stripe.payouts.retrieve(id, {}, settings)).data;
  if (!read) return undefined;
  const became = payoutState(read);
  const ours = ownerOf(read.metadata);
  const told = {
    provider: 'stripe' as const,
    payoutId: id,
    accountId: accountId ?? null,
    transactionId: ours?.jobId ?? null,
    amount: fromStripeAmount(read.amount, read.currency),
    currency: read.currency.toUpperCase(),
  };
  const paid = became.kind === 'done' && became.value.status === 'completed' ? [announce('payout.paid', id, told)] : [];
  const failed = became.kind === 'declined' ? [announce('payout.failed', id, { ...told, code: became.code })] : [];
  return { ours, became, announcements: [...paid, ...failed] };
}

/** Success, or the latest failure. */
function announcementsOf(intent: PaymentIntent): Announcement[] {
  const payment = paymentOf(intent);
  if (intent.status === 'succeeded' && intent.latest_charge !== null) {
    return [announce('payment.succeeded', intent.id, { ...payment, chargeId: intent.latest_charge })];
  }
  const state = heldAnswer(intent);
  if (intent.status !== 'canceled' && !intent.last_payment_error) return [];
  if (state.kind !== 'declined' && state.kind !== 'open') return [];
  const { decline_code, code: errorCode } = intent.last_payment_error ?? {};
  const code = decline_code || errorCode || intent.status;
  // A card that was declined, and then another one: two failures. That it was given up afterwards is no other.
  return [announce('payment.failed', `${intent.id}:${intent.latest_charge ?? ''}:${code}`, { ...payment, code })];
}

/** By the newest refund as well: what failed and is given back again adds up to the same. */
function refundedAnnouncement(intent: PaymentIntent, { refundId, amount: refunded }: Refund): Announcement {
  const payment = paymentOf(intent);
  const isWhole = refunded >= payment.amount;
  return announce('payment.refunded', `${intent.id}:${refundId}:${refunded}`, { ...payment, refunded, isWhole });
}

function paymentOf({ id, amount, currency, metadata }: PaymentIntent) {
  return {
    provider: 'stripe' as const,
    paymentIntentId: id,
    transactionId: ownerOf(metadata)?.jobId ?? null,
    amount: fromStripeAmount(amount, currency),
    currency: currency.toUpperCase(),
  };
}

const owner = z.object({ job_id: z.uuid(), provider_key: z.string() });

function ownerOf(metadata: Record<string, string> | null): Reported['ours'] {
  const parsed = owner.safeParse(metadata).data;
  return parsed && { jobId: parsed.job_id, providerKey: parsed.provider_key };
}

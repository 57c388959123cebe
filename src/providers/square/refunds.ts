/** Refunds of Payments. */
import type { SquareClient as Sdk } from 'square';
import { z } from 'zod';
import type { DoneAnswer, LookupAnswer, PlainAnswer } from '../answer';
import type { EffectCall, LookupCall } from '../calls';
import { money, NOT_PAYABLE, toSquareMoney } from './amounts';
import type { SquareClient } from './client';
import { UNREADABLE } from './errors';
import { squareKey } from './keys';
import { findInList } from './lists';

export interface SquareRefundRequest {
  paymentId: string;
  /** In minor units of ISO 4217. */
  amount: number;
  /** The payment's. */
  currency: string;
}

export interface SquareRefund {
  refundId: string;
  amount: number;
  currency: string;
  /** `pending`: Square has taken it on and the money is still on its way; it may yet be rejected. */
  status: 'completed' | 'pending';
}

export interface Refunds {
  /** Declined as ALREADY_REFUNDED, REFUND_EXCEEDS_PAYMENT, PAYMENT_DISPUTED or NOT_REFUNDABLE where that is the reason. */
  refund(request: SquareRefundRequest, call: EffectCall<SquareRefund>): Promise<PlainAnswer<SquareRefund>>;
  /** Looks through what was refunded since then. See SQUARE_LIST_LAG_MS for when `absent` counts. */
  findRefund(providerKey: string, askedMsAgo: number, call: LookupCall): Promise<LookupAnswer<SquareRefund>>;
  /** All refunds of a payment as one, whoever asked for them: the newest with the amount of all. */
  allRefunds(paymentId: string, call: LookupCall): Promise<LookupAnswer<SquareRefund>>;
}

/** The part of a refund that the service relies on; anything that lacks it is no answer at all. */
const refund = z.object({
  id: z.string().min(1),
  status: z.string(),
  amountMoney: money,
  reason: z.string().optional(),
});
type ParsedRefund = z.infer<typeof refund>;

const answered = z.object({ refund });
const refundedPayment = z.object({
  payment: z.object({
    totalMoney: money,
    refundedMoney: money.optional(),
    refundIds: z.array(z.string()).optional(),
  }),
});

export function createRefunds(client: SquareClient): Refunds {
  return {
    refund: async (request, call) => {
      const amountMoney = toSquareMoney(request.amount, request.currency);
      if (amountMoney === undefined) return NOT_PAYABLE;
      const answer = await client.act(call, async ({ refunds }) => {
        const key = squareKey(call.providerKey);
        const reply = await refunds.refundPayment({
          idempotencyKey: key,
          paymentId: request.paymentId,
          amountMoney,
          // The only field of a refund that is free: by it lookups find the refund again.
          reason: key,
        });
        const parsed = answered.safeParse(reply);
        return parsed.success ? stateOf(parsed.data.refund) : UNREADABLE;
      });
      return isTooMuch(answer) ? whyTooMuch(client, request.paymentId, answer, call) : answer;
    },
    findRefund: (providerKey, askedMsAgo, call) =>
      client.look(call, ({ refunds }) =>
        findInList<ParsedRefund, SquareRefund>(
          { member: 'refunds', entry: refund, askedMsAgo },
          (page) => refunds.list(page),
          (one) => {
            const state = stateOf(one);
            return one.reason === squareKey(providerKey) && state.kind !== 'declined' ? state : undefined;
          },
        ),
      ),
    allRefunds: (paymentId, call) => client.look(call, (square) => sumUp(paymentId, square)),
  };
}

type Declined = Extract<PlainAnswer<never>, { kind: 'declined' }>;

function isTooMuch(answer: PlainAnswer<SquareRefund>): answer is Declined {
  return answer.kind === 'declined' && ['REFUND_EXCEEDS_PAYMENT', 'NOT_REFUNDABLE'].includes(answer.code);
}

/** Square has one word for more than is left and for nothing left, which mean different things to the service. */
async function whyTooMuch(
  client: SquareClient,
  paymentId: string,
  declined: Declined,
  { timeoutMs, signal }: LookupCall,
): Promise<PlainAnswer<SquareRefund>> {
  const looked = await client.look({ timeoutMs, signal }, async ({ payments }) => {
    const parsed = refundedPayment.safeParse(await payments.get({ paymentId }));
    if (!parsed.success) return UNREADABLE;
    const { totalMoney, refundedMoney } = parsed.data.payment;
    return { kind: 'done', value: (refundedMoney?.amount ?? 0) >= totalMoney.amount, reference: paymentId };
  });
  // This call certainly gave nothing back; why, the next one may find out.
  if (looked.kind !== 'done') {
    const { code, message, trouble } = looked;
    return { kind: 'refused', code, message, ...(trouble === undefined ? {} : { trouble }) };
  }
  return looked.value ? { ...declined, code: 'ALREADY_REFUNDED' } : declined;
}

/** Of one whose state cannot be told nothing is counted. */
async function sumUp(paymentId: string, { payments, refunds }: Sdk): Promise<LookupAnswer<SquareRefund>> {
  const parsed = refundedPayment.safeParse(await payments.get({ paymentId }));
  if (!parsed.success) return UNREADABLE;
  const given: DoneAnswer<SquareRefund>[] = [];
  for (const refundId of parsed.data.payment.refundIds ?? []) {
    const one = answered.safeParse(await refunds.get({ refundId }));
    if (!one.success) return UNREADABLE;
    const state = stateOf(one.data.refund);
    if (state.kind === 'done') given.push(state);
  }
  const newest = given.at(-1);
  if (!newest) return { kind: 'absent' };
  const amount = given.reduce((sum, { value }) => sum + value.amount, 0);
  const status = given.every(({ value }) => value.status === 'completed') ? 'completed' : 'pending';
  return { ...newest, value: { ...newest.value, amount, status } };
}

/** "Refund status" (developer.squareup.com/reference/square/objects/PaymentRefund); an unknown one may end in anything. */
function stateOf({ id, status, amountMoney }: ParsedRefund): Exclude<PlainAnswer<SquareRefund>, { kind: 'refused' }> {
  switch (status) {
    case 'COMPLETED':
    case 'PENDING': {
      const value = { refundId: id, ...amountMoney, status: status === 'PENDING' ? 'pending' : 'completed' } as const;
      return { kind: 'done', value, reference: id };
    }
    case 'REJECTED':
    case 'FAILED':
      return {
        kind: 'declined',
        code: status,
        message: `Square made no refund: ${status}`,
        reference: id,
        aboutKey: true,
      };
    default:
      return { kind: 'unknown', code: 'UNEXPECTED_STATUS', message: `Refund ${id} is in a state that is not known` };
  }
}

/** One charge is one Payment, taken at once. */
import { z } from 'zod';
import type { DoneAnswer, LookupAnswer, PlainAnswer } from '../answer';
import type { EffectCall, LookupCall } from '../calls';
import { money, NOT_PAYABLE, toSquareMoney } from './amounts';
import type { SquareClient } from './client';
import { UNREADABLE } from './errors';
import { squareKey } from './keys';
import { findInList } from './lists';

export interface SquareChargeRequest {
  /** In minor units of ISO 4217. */
  amount: number;
  currency: string;
  /** A token of Square's payment form (`cnon:…`), or a card on file (`ccof:…`). */
  paymentMethod: string;
}

export interface SquareCharge {
  /** The id of the Payment. */
  chargeId: string;
  amount: number;
  currency: string;
}

export interface Payments {
  charge(request: SquareChargeRequest, call: EffectCall<SquareCharge>): Promise<PlainAnswer<SquareCharge>>;
  /** Looks through what was paid since then, at all locations. See SQUARE_LIST_LAG_MS for when `absent` counts. */
  findCharge(providerKey: string, askedMsAgo: number, call: LookupCall): Promise<LookupAnswer<SquareCharge>>;
}

/** The part of a Payment that the service relies on; anything that lacks it is no answer at all. */
const payment = z.object({
  id: z.string().min(1),
  status: z.string(),
  amountMoney: money,
  referenceId: z.string().optional(),
});
type ParsedPayment = z.infer<typeof payment>;

const created = z.object({ payment });
const listed = z.object({ locations: z.array(z.object({ id: z.string().min(1) })).min(1) });

/** @param locationId where payments are taken; the account's main location when absent */
export function createPayments(client: SquareClient, locationId: string | undefined): Payments {
  return {
    charge: async (request, call) => {
      const amountMoney = toSquareMoney(request.amount, request.currency);
      if (amountMoney === undefined) return NOT_PAYABLE;
      const key = squareKey(call.providerKey);
      return client.act(call, async ({ payments }) => {
        const answer = await payments.create({
          sourceId: request.paymentMethod,
          idempotencyKey: key,
          referenceId: key,
          amountMoney,
          ...(locationId === undefined ? {} : { locationId }),
        });
        const parsed = created.safeParse(answer);
        return parsed.success ? stateOf(parsed.data.payment) : UNREADABLE;
      });
    },
    findCharge: (providerKey, askedMsAgo, call) =>
      client.look(call, async ({ locations, payments }) => {
        // A list is that of one location, and the one that is configured may be another than when the charge was asked for.
        const all = listed.safeParse(await locations.list());
        if (!all.success) return UNREADABLE;
        const key = squareKey(providerKey);
        for (const { id } of all.data.locations) {
          const answer = await findInList<ParsedPayment, SquareCharge>(
            { member: 'payments', entry: payment, askedMsAgo },
            (page) => payments.list({ ...page, locationId: id }),
            (one) => {
              const state = stateOf(one);
              return one.referenceId === key && state.kind !== 'declined' ? state : undefined;
            },
          );
          if (answer.kind !== 'absent') return answer;
        }
        return { kind: 'absent' };
      }),
  };
}

/** "Payment status" (developer.squareup.com/reference/square/objects/Payment); an unknown one may end in anything. */
function stateOf({ id, status, amountMoney }: ParsedPayment): Exclude<PlainAnswer<SquareCharge>, { kind: 'refused' }> {
  if (status === 'COMPLETED') return done(id, amountMoney);
  if (status === 'FAILED' || status === 'CANCELED') {
    return {
      kind: 'declined',
      code: status,
      message: `Square took no payment: ${status}`,
      reference: id,
      aboutKey: true,
    };
  }
  const code = status === 'PENDING' || status === 'APPROVED' ? 'PROCESSING' : 'UNEXPECTED_STATUS';
  return { kind: 'unknown', code, message: `Payment ${id} is not completed yet` };
}

function done(id: string, { amount, currency }: ParsedPayment['amountMoney']): DoneAnswer<SquareCharge> {
  return { kind: 'done', value: { chargeId: id, amount, currency }, reference: id };
}

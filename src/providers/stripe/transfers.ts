/** Transfers: from the platform's balance to that of a connected account. */
import type Stripe from 'stripe';
import { z } from 'zod';
import type { DoneAnswer, LookupAnswer, PlainAnswer } from '../answer';
import { fromStripeAmount, NOT_PAYABLE, toStripeAmount } from './amounts';
import type { EffectCall, LookupCall } from '../calls';
import type { StripeClient } from './client';
import { UNREADABLE } from './errors';
import { findInList } from './lists';

export interface TransferRequest {
  /** Also groups the transfers of a job, by which they are found. */
  jobId: string;
  /** In minor units of ISO 4217. */
  amount: number;
  currency: string;
  /** The connected account, `acct_…`. */
  accountId: string;
  /** Ids of the caller's that help a person in Stripe's dashboard; stored there for ever, so no personal data. */
  metadata: Record<string, string>;
}

export interface Transfer {
  transferId: string;
  amount: number;
  currency: string;
}

export interface Transfers {
  /** Declined as BALANCE_INSUFFICIENT or PAYOUTS_NOT_ALLOWED where that is the reason. */
  transfer(request: TransferRequest, call: EffectCall<Transfer>): Promise<PlainAnswer<Transfer>>;
  /** See STRIPE_LIST_LAG_MS for when `absent` counts. */
  findTransfer(jobId: string, providerKey: string, call: LookupCall): Promise<LookupAnswer<Transfer>>;
}

/** The part of a transfer that the service relies on; anything that lacks it is no answer at all. */
export const transfer = z.object({
  id: z.string().min(1),
  object: z.literal('transfer'),
  amount: z.number().int(),
  currency: z.string(),
  metadata: z.record(z.string(), z.string()),
});

export function createTransfers(client: StripeClient): Transfers {
  return {
    transfer: async (request, call) => {
      const amount = toStripeAmount(request.amount, request.currency);
      if (amount === undefined) return NOT_PAYABLE;
      const parameters = { ...parametersOf(request, call.providerKey), amount };
      return client.act(call, async ({ transfers }, settings) => {
        const parsed = transfer.safeParse(await transfers.create(parameters, settings));
        return parsed.success ? transferDone(parsed.data) : UNREADABLE;
      });
    },
    findTransfer: (jobId, providerKey, call) =>
      client.look(call, ({ transfers }, settings) =>
        findInList(
          transfer,
          (page) => transfers.list({ transfer_group: jobId, ...page }, settings),
          (one) => (one.metadata['provider_key'] === providerKey ? transferDone(one) : undefined),
        ),
      ),
  };
}

function parametersOf(request: TransferRequest, providerKey: string): Omit<Stripe.TransferCreateParams, 'amount'> {
  return {
    currency: request.currency.toLowerCase(),
    destination: request.accountId,
    transfer_group: request.jobId,
    metadata: { ...request.metadata, job_id: request.jobId, provider_key: providerKey },
  };
}

export function transferDone({ id, amount, currency }: z.infer<typeof transfer>): DoneAnswer<Transfer> {
  return {
    kind: 'done',
    value: { transferId: id, amount: fromStripeAmount(amount, currency), currency },
    reference: id,
  };
}

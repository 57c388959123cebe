import { z } from 'zod';
import { Money } from './amounts';
import type { MoneyJob } from './source';

/** As far as results of all money jobs and all their providers agree. */
const settled = z.object({
  amount: z.int(),
  currency: z.string(),
  provider: z.string().optional(),
  chargeId: z.string().optional(),
  refundId: z.string().optional(),
  payoutId: z.string().optional(),
  transferId: z.string().optional(),
  arrivesAt: z.string().optional(),
  status: z.string().optional(),
  alreadyRefunded: z.boolean().optional(),
});

const concerned = z.object({ venueId: z.string().optional(), eventId: z.string().optional() });

/** Money that moved, as the job that moved it says. */
export interface Movement {
  kind: 'payment' | 'refund' | 'payout';
  job: MoneyJob;
  money: Money;
  venueId: string | undefined;
  eventId: string | undefined;
  details: z.infer<typeof settled>;
}

const KINDS: Readonly<Record<string, Movement['kind']>> = {
  'payment-process': 'payment',
  'refund-process': 'refund',
  'payout-process': 'payout',
};

/** What a completed job moved; a refund that found everything given back moved nothing. */
export function movementOf(job: MoneyJob): Movement | undefined {
  const kind = KINDS[job.type];
  if (kind === undefined || job.status !== 'completed') return undefined;
  const details = settled.safeParse(job.result).data;
  if (!details || details.alreadyRefunded === true) return undefined;
  const { venueId, eventId } = concerned.safeParse(job.payload).data ?? {};
  return { kind, job, money: Money.of(details.amount, details.currency), venueId, eventId, details };
}

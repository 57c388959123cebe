/**
 * Reads bodies as strictly as Square's OpenAPI document says. Only what the service may ever send is known here: a name
 * beyond it is refused, so that a mistake in one shows.
 */
import { z } from 'zod';

/** Square takes these, each in its own country; this account takes them all. */
const CURRENCIES = ['AUD', 'CAD', 'EUR', 'GBP', 'JPY', 'USD'] as const;

const money = z.strictObject({ amount: z.int().positive(), currency: z.enum(CURRENCIES) });
const idempotency_key = z.string().min(1).max(45);

export const createPayment = z.strictObject({
  idempotency_key,
  source_id: z.string().min(1),
  amount_money: money,
  location_id: z.string().max(50).optional(),
  reference_id: z.string().max(40).optional(),
});
export type CreatePayment = z.infer<typeof createPayment>;

export const refundPayment = z.strictObject({
  idempotency_key,
  payment_id: z.string().min(1),
  amount_money: money,
  reason: z.string().max(192).optional(),
});
export type RefundPayment = z.infer<typeof refundPayment>;

export const listQuery = z.strictObject({
  begin_time: z.iso.datetime({ offset: true }).optional(),
  sort_order: z.enum(['ASC', 'DESC']).default('DESC'),
  limit: z.coerce.number().int().positive().max(100).default(100),
  location_id: z.string().optional(),
  cursor: z.string().regex(/^\d+$/).optional(),
});
export type ListQuery = z.infer<typeof listQuery>;

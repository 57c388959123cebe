import { z } from 'zod';

/** Minor units of ISO 4217 (cents; whole yen), whatever the provider counts in. */
export const amount = z.int().positive().max(1_000_000);

/** ISO 4217, in either case. */
export const currency = z.string().regex(/^[A-Za-z]{3}$/, 'is not an ISO 4217 code');

/** Who charges customers and gives back. */
export const paymentProvider = z.enum(['stripe', 'square']);

/**
 * Square, as far as the service uses it. Every effect is asked for in one request under a key that is made of the caller's
 * provider key.
 *
 * Every method resolves with an answer and never rejects. A definite no (`declined`, `refused`) is about this call
 * alone: an earlier call with the same key that ended `unknown` may still have had its effect. IDEMPOTENCY_MISMATCH says
 * that one was made with other parameters, so it is no such no: only a lookup can tell what became of it.
 *
 * Process killed before the request left: nothing happened. Killed after it: the effect may have happened, and the same
 * key within SQUARE_KEY_WINDOW_MS brings back that answer; later only a lookup can tell.
 */
import { createSquareClient, type SquareOptions } from './client';
import { createPayments, type Payments } from './payments';
import { createRefunds, type Refunds } from './refunds';

export { squareKey } from './keys';
export type { SquareCharge, SquareChargeRequest } from './payments';
export type { SquareRefund } from './refunds';

const MINUTE_MS = 60 * 1000;

/**
 * For this long after its first use a key is relied on. "Idempotency" (developer.squareup.com/docs/build-basics/
 * common-api-patterns/idempotency) means keys for asking again after a lost answer; Square publishes no time for which it
 * keeps them (its staff in developer.squareup.com/forums/t/28303). So they are good for retries, and no longer.
 */
export const SQUARE_KEY_WINDOW_MS = 2 * 60 * MINUTE_MS;

/**
 * Only this long after the last possible effect does a list without it prove anything. "Results are eventually
 * consistent, and new payments … might take several seconds to appear" (ListPayments and ListPaymentRefunds in Square's
 * OpenAPI document); the rest is for a request that Square was still carrying out when it was given up here, whose own SDKs
 * wait a minute for an answer.
 */
export const SQUARE_LIST_LAG_MS = 10 * MINUTE_MS;

export interface SquareAdapter extends Payments, Refunds {}

/** @param options `locationId`: where payments are taken; the account's main location when absent */
export function createSquareAdapter(options: SquareOptions & { locationId?: string }): SquareAdapter {
  const client = createSquareClient(options);
  return { ...createPayments(client, options.locationId), ...createRefunds(client) };
}

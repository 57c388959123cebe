import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import { within } from '../platform/time';
import { HttpError } from './errors';

/** Asks PostgreSQL for an answer in time. @throws HttpError when there is none */
export async function askStore<Value>(
  ask: () => Promise<Value>,
  { what, timeoutMs, log }: { what: string; timeoutMs: number; log: Logger },
): Promise<Value> {
  try {
    return await within(timeoutMs, `asking for ${what}`, ask());
  } catch (error) {
    log.warn('store not reached', { what, error: describeError(error) });
    throw new HttpError('STORE_UNAVAILABLE');
  }
}

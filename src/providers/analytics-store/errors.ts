import { isUnavailable, sqlState } from '../../platform/postgres/errors';
import type { DoneAnswer, ProviderAnswer } from '../answer';

/**
 * The only place that reads what PostgreSQL says about an analytics event. Messages carry the SQLSTATE alone: PostgreSQL's
 * own repeat values.
 * @throws what is no error of the store's, but a fault in this program
 */
export function answerFromError(error: unknown): Exclude<ProviderAnswer<never>, DoneAnswer<never>> {
  const state = sqlState(error);
  if (state === undefined) {
    if (!isUnavailable(error)) throw error;
    const silent = 'the analytics store did not answer';
    return { kind: 'unknown', code: 'ANALYTICS_STORE_SILENT', message: silent, trouble: 'down' };
  }
  const message = `the analytics store refused the event (SQLSTATE ${state})`;
  if (isUnavailable(error)) return { kind: 'refused', code: 'ANALYTICS_STORE_UNAVAILABLE', message, trouble: 'down' };
  return { kind: 'declined', code: 'NOT_STORABLE', message };
}

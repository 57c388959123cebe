import { UnavailableError } from '../unavailable';

/** SQLSTATE of an error that PostgreSQL itself answered with; undefined when the connection or the pool failed. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return /^[0-9A-Z]{5}$/.test(error.code) && 'severity' in error ? error.code : undefined;
}

/** Deadlock or serialisation failure: nothing was done, and the same statement may simply be run again. */
export function isRetryableConflict(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40P01' || state === '40001';
}

export function isUniqueViolation(error: unknown): boolean {
  return sqlState(error) === '23505';
}

/** Data exception, integrity constraint, cardinality, program limit: classes from the PostgreSQL manual's SQLSTATE table. */
const REFUSED_FOR_CONTENT = ['22', '23', '21', '54'];

/** The database refuses a statement for the values in it, and will do so again. */
export function isRefusal(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && REFUSED_FOR_CONTENT.includes(state.slice(0, 2));
}

/**
 * What was needed cannot be used just now: it was not reached, or PostgreSQL answers with anything else than a refusal of
 * the values (shutdown, resources, time-out, a missing migration or permission, all of which an operator can mend). An
 * error that no dependency is the cause of is a fault in this program, and no answer to wait for.
 */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof UnavailableError) return true;
  return sqlState(error) !== undefined && !isRefusal(error);
}

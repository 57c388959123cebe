import { CommitUnknownError } from './database';

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

/**
 * The database cannot be used just now (connection, shutdown, resources, time-out, a missing migration or permission),
 * in contrast to a statement that it refuses for the values in it. Only the latter is named: to take one for the other
 * would refuse every request for what an operator can mend.
 */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof CommitUnknownError) return true;
  const state = sqlState(error);
  // Without an SQLSTATE it is the network, the driver or the pool, unless it is a fault in our own code.
  if (state === undefined) return !(error instanceof TypeError || error instanceof RangeError);
  return !REFUSED_FOR_CONTENT.includes(state.slice(0, 2));
}

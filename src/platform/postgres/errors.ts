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

/**
 * The database cannot be used just now (connection, shutdown, out of resources, cancelled by time-out), in contrast to
 * a statement that it refuses for what it says. Classes from the SQLSTATE table of the PostgreSQL manual.
 */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof CommitUnknownError) return true;
  const state = sqlState(error);
  // Without an SQLSTATE it is the network, the driver or the pool, unless it is a fault in our own code.
  if (state === undefined) return !(error instanceof TypeError || error instanceof RangeError);
  return (
    state.startsWith('08') ||
    state.startsWith('53') ||
    state.startsWith('57') ||
    state.startsWith('58') ||
    state === '25006'
  );
}

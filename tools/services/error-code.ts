/** The system's code of an error. Not by `instanceof`: under jest, Node's own errors come from another realm. */
export function errorCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

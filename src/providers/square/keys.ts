import { uuidV5 } from '../../platform/ids';

/** A random one, for good: another would be other keys, and payments of before would not be found. */
const NAMESPACE = '7c0f3a52-6c0e-4c53-9d0a-2b8f5b1f6f0e';

/**
 * What Square knows an effect by. It takes idempotency keys of 45 characters and a payment's `reference_id` of 40, which a
 * provider key may be longer than.
 */
export function squareKey(providerKey: string): string {
  return uuidV5(NAMESPACE, providerKey);
}

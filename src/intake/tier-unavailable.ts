import type { Tier } from '../contract/names';
import { UnavailableError } from '../platform/unavailable';

/**
 * A tier cannot take requests now: its Redis does not answer, or holds as many jobs as it may. Nothing was acknowledged;
 * the same request may come again.
 */
export class TierUnavailableError extends UnavailableError {
  override name = 'TierUnavailableError';

  constructor(
    readonly tier: Tier,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`the ${tier} tier cannot take requests: ${reason}`, options);
  }
}

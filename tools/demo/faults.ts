import type { SeededRandom } from './random';
import type { PaymentProvider } from './stand-in';

/**
 * What goes wrong at the provider all through the sale. Shares are of its calls; `times` bounds each, so that the tries
 * which follow (2 s, 4 s, …) come to an end with the sale.
 */
const WEATHER = [
  { kind: 'rate-limit', probability: 0.05, times: 40, retryAfterSeconds: 1 },
  { kind: 'unavailable', probability: 0.04, times: 30 },
  /** Charged, but the connection broke before the answer. */
  { kind: 'lose-answer', probability: 0.03, times: 20 },
  /** Charged, and the answer says 500. */
  { kind: 'fail-after-effect', probability: 0.01, times: 3 },
  { kind: 'reset-before', probability: 0.01, times: 10 },
  { kind: 'slow', probability: 0.02, times: 5, delayMs: 1_500 },
] as const;

/** Held long enough that the kill which follows meets charges under way. */
const SLOW_BEFORE_KILL = { kind: 'slow', times: 8, delayMs: 1_500 } as const;

export async function makeBadWeather(provider: PaymentProvider, random: SeededRandom): Promise<void> {
  for (const fault of WEATHER) await provider.addFault({ ...fault, seed: random.integer(1, 2 ** 31) });
}

export function holdCharges(provider: PaymentProvider): Promise<void> {
  return provider.addFault(SLOW_BEFORE_KILL);
}

/** For the summary. */
export function describeWeather(): string {
  return WEATHER.map(({ kind, probability }) => `${kind} ${Math.round(probability * 100)} %`).join(', ');
}

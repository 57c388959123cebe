import type { SeededRandom } from './random';
import type { StandIns } from '../../stage/stand-ins';

/**
 * What goes wrong at the payment provider all through the sale. Shares are of its calls; `times` bounds each, so that the
 * tries which follow (2 s, 4 s, …) come to an end with the sale.
 */
const PAYMENT_WEATHER = [
  { kind: 'rate-limit', probability: 0.05, times: 40, retryAfterSeconds: 1 },
  { kind: 'unavailable', probability: 0.04, times: 30 },
  /** Charged, but the connection broke before the answer. */
  { kind: 'lose-answer', probability: 0.03, times: 20 },
  /** Charged, and the answer says 500. */
  { kind: 'fail-after-effect', probability: 0.01, times: 3 },
  { kind: 'reset-before', probability: 0.01, times: 10 },
  { kind: 'slow', probability: 0.02, times: 5, delayMs: 1_500 },
] as const;

/**
 * What goes wrong at the mail provider, at these shares of the sale: each time its next calls, all at once. A mail is tried
 * three times, 5 s apart: closer together than that, no mail meets all of them, and none is lost to bad luck.
 */
export const MAIL_WEATHER = [
  { atShare: 0.2, fault: { kind: 'rate-limit', times: 3, retryAfterSeconds: 1 } },
  /** Sent, but the connection broke before the answer: these go out once more. */
  { atShare: 0.35, fault: { kind: 'lose-answer', times: 3 } },
  { atShare: 0.5, fault: { kind: 'unavailable', times: 3 } },
] as const;

/** Held long enough that the kill which follows meets charges and mails under way. */
const SLOW_BEFORE_KILL = { kind: 'slow', times: 8, delayMs: 1_500 } as const;

export async function makeBadWeather({ payments }: StandIns, random: SeededRandom): Promise<void> {
  for (const fault of PAYMENT_WEATHER) await payments.addFault({ ...fault, seed: random.integer(1, 2 ** 31) });
}

export async function holdWork({ payments, mails }: StandIns): Promise<void> {
  await Promise.all([payments, mails].map((provider) => provider.addFault(SLOW_BEFORE_KILL)));
}

/** For the summary: a line for each provider. */
export function describeWeather(): string[] {
  const shares = PAYMENT_WEATHER.map(({ kind, probability }) => `${kind} ${Math.round(probability * 100)} %`);
  const bursts = MAIL_WEATHER.map(({ fault }) => `${fault.kind} ×${fault.times}`);
  return [`charges: ${shares.join(', ')}`, `mails: ${bursts.join(', ')}`];
}

/** How fast an account at a provider may be used, by all replicas together. */
export interface Limit {
  /** Requests per second, in the long run. */
  perSecond: number;
  /** Attempts that may be under way at the same time. */
  concurrent: number;
  /** Requests that may be sent at once after a pause. */
  burst: number;
  /** Pause after the provider itself has said that it gets too many, unless it names a longer one. */
  cooldownMs: number;
}

/** What holds unless the configuration or an operator says otherwise. */
export const LIMITERS = {
  stripe: { perSecond: 25, concurrent: 10, burst: 50, cooldownMs: 1_000 },
  square: { perSecond: 8, concurrent: 5, burst: 20, cooldownMs: 2_000 },
  sendgrid: { perSecond: 5, concurrent: 20, burst: 100, cooldownMs: 1_000 },
  twilio: { perSecond: 1, concurrent: 5, burst: 10, cooldownMs: 5_000 },
  solana: { perSecond: 10, concurrent: 5, burst: 30, cooldownMs: 1_000 },
  polygon: { perSecond: 10, concurrent: 5, burst: 30, cooldownMs: 1_000 },
  quickbooks: { perSecond: 2, concurrent: 3, burst: 10, cooldownMs: 3_000 },
  push: { perSecond: 100, concurrent: 50, burst: 200, cooldownMs: 100 },
  internal: { perSecond: 100, concurrent: 50, burst: 200, cooldownMs: 100 },
} as const satisfies Record<string, Limit>;

export type LimiterName = keyof typeof LIMITERS;

/** Uses of an account that share its limiter. */
const SHARED = {
  'stripe-charges': 'stripe',
  'stripe-refunds': 'stripe',
  'stripe-payouts': 'stripe',
  'sendgrid-transactional': 'sendgrid',
  'sendgrid-marketing': 'sendgrid',
  'twilio-sms': 'twilio',
  'twilio-voice': 'twilio',
  'twilio-verify': 'twilio',
} as const satisfies Record<string, LimiterName>;

/** What a job type says that it uses: a limiter, or one of the uses that share one. */
export type LimitedUse = LimiterName | keyof typeof SHARED;

export const LIMITER_NAMES: readonly LimiterName[] = Object.keys(LIMITERS).filter(isLimiterName);

export function isLimiterName(name: string): name is LimiterName {
  return Object.hasOwn(LIMITERS, name);
}

export function limiterOf(use: LimitedUse): LimiterName {
  return isLimiterName(use) ? use : SHARED[use];
}

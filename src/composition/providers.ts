import type { Config } from '../config';
import type { ProviderAdapters } from '../handlers';
import { createAnalyticsStore } from '../providers/analytics-store/store';
import { createSendGridAdapter } from '../providers/sendgrid/adapter';
import { createStripeAdapter } from '../providers/stripe/adapter';
import type { Foundation } from './foundation';

/** An adapter for every provider that is configured. */
export function composeAdapters({ config, database }: Foundation): ProviderAdapters {
  const { stripe, email } = config;
  return {
    stripe: createStripeAdapter(withBase(stripe.apiBase, { secretKey: stripe.secretKey })),
    analytics: createAnalyticsStore(database),
    mailer: email && {
      sendgrid: createSendGridAdapter(withBase(email.apiBase, { apiKey: email.apiKey })),
      from: email.from,
    },
  };
}

/** Types that this deployment cannot run, with the reason; by configuration, which is the same in all its processes. */
export function unavailableTypes({ email }: Config): ReadonlyMap<string, string> {
  return new Map(email ? [] : [['send-email', 'SENDGRID_API_KEY is not set']]);
}

function withBase<Options extends object>(
  apiBase: string | undefined,
  options: Options,
): Options & { apiBase?: string } {
  return apiBase === undefined ? options : { ...options, apiBase };
}

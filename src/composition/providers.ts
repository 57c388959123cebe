import type { Config } from '../config';
import type { ProviderAdapters } from '../handlers';
import { createAnalyticsStore } from '../providers/analytics-store/store';
import { createSendGridAdapter } from '../providers/sendgrid/adapter';
import { createStripeAdapter } from '../providers/stripe/adapter';
import { createSuppressionList } from '../providers/suppression-list';
import { createTwilioAdapter } from '../providers/twilio/adapter';
import type { Foundation } from './foundation';

/** An adapter for every provider that is configured. */
export function composeAdapters({ config, database }: Foundation): ProviderAdapters {
  const { stripe, email, sms } = config;
  return {
    stripe: createStripeAdapter(withBase(stripe.apiBase, { secretKey: stripe.secretKey })),
    analytics: createAnalyticsStore(database),
    mailer: email && {
      sendgrid: createSendGridAdapter(withBase(email.apiBase, { apiKey: email.apiKey })),
      from: email.from,
      suppressions: createSuppressionList(database),
    },
    texter: sms && {
      twilio: createTwilioAdapter(withBase(sms.apiBase, { accountSid: sms.accountSid, authToken: sms.authToken })),
      from: sms.from,
      lookupLagMs: sms.lookupLagMs,
    },
  };
}

/** Types that this deployment cannot run, with the reason; by configuration, which is the same in all its processes. */
export function unavailableTypes({ email, sms }: Config): ReadonlyMap<string, string> {
  const reasons: [string, string | undefined][] = [
    ['send-email', email ? undefined : 'SENDGRID_API_KEY is not set'],
    ['send-sms', sms ? undefined : 'TWILIO_ACCOUNT_SID is not set'],
  ];
  return new Map(reasons.flatMap(([type, reason]) => (reason === undefined ? [] : [[type, reason]])));
}

function withBase<Options extends object>(
  apiBase: string | undefined,
  options: Options,
): Options & { apiBase?: string } {
  return apiBase === undefined ? options : { ...options, apiBase };
}

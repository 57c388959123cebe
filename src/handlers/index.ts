import type { AnalyticsStore } from '../providers/analytics-store/store';
import type { StripeAdapter } from '../providers/stripe/adapter';
import { analyticsTrackHandler } from './analytics-track';
import { canaryHandlers } from './canaries';
import type { Handler } from './handler';
import { paymentProcessHandler } from './payment-process';

export interface ProviderAdapters {
  stripe: StripeAdapter;
  analytics: AnalyticsStore;
}

/** Every handler there is, by job type. */
export function createHandlers(adapters: ProviderAdapters): Map<string, Handler> {
  return new Map([
    ...canaryHandlers,
    paymentProcessHandler(adapters.stripe),
    analyticsTrackHandler(adapters.analytics),
  ]);
}

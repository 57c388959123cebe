import type { StripeAdapter } from '../providers/stripe/adapter';
import { canaryMoneyHandler } from './canary-money';
import type { Handler } from './handler';
import { paymentProcessHandler } from './payment-process';

export interface ProviderAdapters {
  stripe: StripeAdapter;
}

/** Every handler there is, by job type. */
export function createHandlers(adapters: ProviderAdapters): Map<string, Handler> {
  return new Map([canaryMoneyHandler, paymentProcessHandler(adapters.stripe)]);
}

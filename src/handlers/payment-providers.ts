import type { PaymentPayload } from '../catalogue/payment-process';
import type { SquareAdapter } from '../providers/square/adapter';
import type { StripeAdapter } from '../providers/stripe/adapter';
import type { HandlerOutcome } from './outcome';

/** Who may be asked for payments and refunds; absent where there is no account. */
export interface PaymentProviders {
  stripe: StripeAdapter | undefined;
  square: SquareAdapter | undefined;
}

export type PaymentProvider = NonNullable<PaymentPayload['provider']>;

/** The account that a job began with was taken away: no other one may go on with it. */
export function noAccount(provider: PaymentProvider): HandlerOutcome<never> {
  return { kind: 'retry', code: 'NO_HANDLER', message: `this process has no account at the provider ${provider}` };
}

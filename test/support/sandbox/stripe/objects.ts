/** PaymentIntents as the sandbox keeps them, and as Stripe shows them; TypeScript compares the latter with the SDK's types. */
import { randomBytes } from 'node:crypto';
import type Stripe from 'stripe';

export interface IntentState {
  readonly id: string;
  readonly amount: number;
  readonly currency: string;
  readonly created: number;
  readonly description: string | null;
  readonly receiptEmail: string | null;
  readonly metadata: Record<string, string>;
  readonly allowRedirects: 'always' | 'never';
  readonly paymentMethod: string | null;
  readonly status: Stripe.PaymentIntent.Status;
  readonly latestCharge: string | null;
  readonly lastPaymentError: Stripe.PaymentIntent.LastPaymentError | null;
  readonly canceledAt: number | null;
  readonly cancellationReason: Stripe.PaymentIntent.CancellationReason | null;
}

export const CANCELLATION_REASONS = ['duplicate', 'fraudulent', 'requested_by_customer', 'abandoned'] as const;

export function renderIntent(state: IntentState) {
  return {
    id: state.id,
    object: 'payment_intent',
    allowed_payment_method_types: null,
    amount: state.amount,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: state.status === 'succeeded' ? state.amount : 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: { allow_redirects: state.allowRedirects, enabled: true },
    canceled_at: state.canceledAt,
    cancellation_reason: state.cancellationReason,
    capture_method: 'automatic_async',
    client_secret: `${state.id}_secret_sandbox`,
    confirmation_method: 'automatic',
    created: state.created,
    currency: state.currency,
    customer: null,
    customer_account: null,
    description: state.description,
    excluded_payment_method_types: null,
    last_payment_error: state.lastPaymentError,
    latest_charge: state.latestCharge,
    livemode: false,
    managed_payments: null,
    metadata: state.metadata,
    next_action:
      state.status === 'requires_action'
        ? { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'three_d_secure_redirect' } }
        : null,
    on_behalf_of: null,
    payment_method: state.paymentMethod,
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: ['card'],
    payment_record: null,
    processing: null,
    receipt_email: state.receiptEmail,
    review: null,
    setup_future_usage: null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: state.status,
    transfer_data: null,
    transfer_group: null,
  } satisfies Stripe.PaymentIntent;
}

export interface SearchPage {
  data: Stripe.PaymentIntent[];
  nextPage: string | null;
}

export function renderSearch({ data, nextPage }: SearchPage) {
  return {
    object: 'search_result',
    data,
    has_more: nextPage !== null,
    next_page: nextPage,
    url: '/v1/payment_intents/search',
  } satisfies Stripe.ApiSearchResult<Stripe.PaymentIntent>;
}

/** Stripe's ids: a prefix and 24 letters and digits. */
export function newId(prefix: 'pi' | 'ch' | 're' | 'tr' | 'po' | 'du' | 'evt' | 'req'): string {
  const random = randomBytes(18).toString('base64').replaceAll('+', 'x').replaceAll('/', 'y');
  return `${prefix}_${random}`;
}

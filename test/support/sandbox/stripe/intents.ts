/**
 * The PaymentIntents and what can be done with them: create, confirm, cancel, retrieve. Captures, refunds, customers and
 * redirects are not here; their parameters are unknown to the sandbox and refused like any unknown name.
 */
import { cardOutcome } from './cards';
import { docUrl, errorReply, invalid, noSuch, Refusal } from './errors';
import { CANCELLATION_REASONS, newId, renderIntent, type IntentState } from './objects';
import type { Emit } from './events';
import { boolean, fields, integer, metadata, oneOf, required, text } from './parameters';

const readCreate = fields({
  amount: integer,
  currency: text,
  automatic_payment_methods: fields({ enabled: boolean, allow_redirects: oneOf('always', 'never') }),
  confirm: boolean,
  description: text,
  metadata,
  payment_method: text,
  receipt_email: text,
  return_url: text,
});
const readConfirm = fields({ payment_method: text, return_url: text });
const readCancel = fields({ cancellation_reason: oneOf(...CANCELLATION_REASONS) });
const readNothing = fields({});

const CURRENCIES = new Set(Intl.supportedValuesOf('currency').map((code) => code.toLowerCase()));
const CONFIRMABLE = ['requires_payment_method', 'requires_confirmation', 'requires_action'];
const CANCELABLE = [
  'requires_payment_method',
  'requires_capture',
  'requires_confirmation',
  'requires_action',
  'processing',
];

/** A state of a PaymentIntent, and its place among all states that were ever saved. */
interface Version {
  state: IntentState;
  savedAt: number;
  number: number;
}

export class Intents {
  /** All states of each PaymentIntent, oldest first: the search index runs behind and shows an earlier one. */
  readonly #versions = new Map<string, Version[]>();
  /** How many states have been saved. */
  saved = 0;
  readonly #charged: (state: IntentState, chargeId: string) => void;
  readonly #emit: Emit;

  /** `charged` is called at the moment at which money moves. */
  constructor(charged: (state: IntentState, chargeId: string) => void, emit: Emit) {
    this.#charged = charged;
    this.#emit = emit;
  }

  create(parameters: unknown): object {
    const read = readCreate(parameters, '');
    const amount = required(read.amount, 'amount');
    const currency = required(read.currency, 'currency').toLowerCase();
    checkAmount(amount, currency);
    if (read.automatic_payment_methods)
      required(read.automatic_payment_methods.enabled, 'automatic_payment_methods[enabled]');
    if (read.payment_method !== undefined) checkPaymentMethod(read.payment_method);
    const state: IntentState = {
      id: newId('pi'),
      amount,
      currency,
      created: Math.floor(Date.now() / 1000),
      description: read.description ?? null,
      receiptEmail: read.receipt_email ?? null,
      metadata: read.metadata ?? {},
      allowRedirects: read.automatic_payment_methods?.allow_redirects ?? 'always',
      paymentMethod: read.payment_method ?? null,
      status: read.payment_method === undefined ? 'requires_payment_method' : 'requires_confirmation',
      latestCharge: null,
      lastPaymentError: null,
      canceledAt: null,
      cancellationReason: null,
    };
    if (read.confirm) return this.#confirm(state, read.return_url);
    if (read.return_url !== undefined) {
      throw invalid('This parameter can only be used when `confirm` is true.', { param: 'return_url' });
    }
    return renderIntent(this.#save(state));
  }

  confirm(id: string, parameters: unknown): object {
    const read = readConfirm(parameters, '');
    const state = this.#get(id);
    if (!CONFIRMABLE.includes(state.status)) {
      const why =
        state.status === 'succeeded'
          ? 'it has already succeeded after being previously confirmed'
          : `it has a status of ${state.status}`;
      throw unexpectedState(`You cannot confirm this PaymentIntent because ${why}.`, state);
    }
    if (read.payment_method !== undefined) checkPaymentMethod(read.payment_method);
    return this.#confirm({ ...state, paymentMethod: read.payment_method ?? state.paymentMethod }, read.return_url);
  }

  cancel(id: string, parameters: unknown): object {
    const read = readCancel(parameters, '');
    const state = this.#get(id);
    if (!CANCELABLE.includes(state.status)) {
      const message = `You cannot cancel this PaymentIntent because it has a status of ${state.status}. Only a PaymentIntent with one of the following statuses may be canceled: ${CANCELABLE.join(', ')}.`;
      throw unexpectedState(message, state);
    }
    const canceled = {
      status: 'canceled',
      canceledAt: Math.floor(Date.now() / 1000),
      cancellationReason: read.cancellation_reason ?? null,
    } as const;
    return renderIntent(this.#save({ ...state, ...canceled }));
  }

  /** The customer has come back from the bank's page. */
  authenticate(id: string, succeeds: boolean): void {
    const state = this.#get(id);
    if (state.status !== 'requires_action') throw new Error(`${id} is ${state.status}`);
    if (succeeds) {
      this.#succeed(state);
      return;
    }
    const code = 'payment_intent_authentication_failure';
    const message =
      'The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.';
    const lastPaymentError = { type: 'invalid_request_error', code, message, doc_url: docUrl(code) } as const;
    this.#save({ ...state, status: 'requires_payment_method', paymentMethod: null, lastPaymentError });
  }

  has(id: string): boolean {
    return this.#versions.has(id);
  }

  retrieve(id: string, parameters: unknown): object {
    readNothing(parameters, '');
    return renderIntent(this.#get(id));
  }

  /** Each PaymentIntent in its newest state that `isIndexed` admits, newest PaymentIntent first. */
  *indexed(isIndexed: (version: Version) => boolean): Iterable<IntentState> {
    for (const versions of [...this.#versions.values()].toReversed()) {
      const version = versions.findLast(isIndexed);
      if (version) yield version.state;
    }
  }

  #confirm(state: IntentState, returnUrl: string | undefined): object {
    if (state.paymentMethod === null) {
      const message =
        "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.";
      throw unexpectedState(message, state);
    }
    if (state.allowRedirects === 'always' && returnUrl === undefined) {
      const message =
        "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`. If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.";
      throw invalid(message);
    }
    const outcome = checkPaymentMethod(state.paymentMethod);
    if (outcome.kind === 'needs-authentication') {
      return renderIntent(this.#save({ ...state, status: 'requires_action' }));
    }
    if (outcome.kind === 'succeeds') return renderIntent(this.#succeed(state));
    const latestCharge = newId('ch');
    const error = {
      type: 'card_error',
      code: outcome.code,
      ...(outcome.declineCode === undefined ? {} : { decline_code: outcome.declineCode }),
      message: outcome.message,
      charge: latestCharge,
    } as const;
    const declined = this.#save({
      ...state,
      status: 'requires_payment_method',
      paymentMethod: null,
      latestCharge,
      lastPaymentError: { ...error, doc_url: docUrl(outcome.code) },
    });
    throw new Refusal(errorReply(402, { ...error, payment_intent: renderIntent(declined) }), { executed: true });
  }

  #succeed(state: IntentState): IntentState {
    const latestCharge = newId('ch');
    const charged = this.#save({ ...state, status: 'succeeded', latestCharge, lastPaymentError: null });
    this.#charged(charged, latestCharge);
    return charged;
  }

  #get(id: string): IntentState {
    const version = this.#versions.get(id)?.at(-1);
    if (!version) throw noSuch('payment_intent', id, 'intent', 404);
    return version.state;
  }

  #save(state: IntentState): IntentState {
    this.saved += 1;
    const version = { state, savedAt: Date.now(), number: this.saved };
    const earlier = this.#versions.get(state.id);
    if (earlier) earlier.push(version);
    else this.#versions.set(state.id, [version]);
    const told = eventOf(state);
    if (told !== undefined) this.#emit(told, renderIntent(state));
    return state;
  }
}

function eventOf({ status, lastPaymentError }: IntentState): string | undefined {
  if (status === 'succeeded' || status === 'canceled') return `payment_intent.${status}`;
  return status === 'requires_payment_method' && lastPaymentError ? 'payment_intent.payment_failed' : undefined;
}

/** "Three-decimal currencies" and "Special cases" of docs.stripe.com/currencies. */
const STEPS: Readonly<Record<string, number>> = {
  isk: 100,
  ugx: 100,
  bhd: 10,
  jod: 10,
  kwd: 10,
  omr: 10,
  tnd: 10,
};

function checkAmount(amount: number, currency: string): void {
  if (!CURRENCIES.has(currency)) {
    throw invalid(`Invalid currency: ${currency}. Stripe currently supports these currencies: usd, aed, afn, …`, {
      param: 'currency',
    });
  }
  if (amount < 1) {
    const message = 'This value must be greater than or equal to 1.';
    throw invalid(message, { code: 'parameter_invalid_integer', param: 'amount' });
  }
  const step = STEPS[currency] ?? 1;
  if (amount % step !== 0) {
    const message = `Invalid amount. Charged amounts in ${currency} must be evenly divisible by ${step}.`;
    throw invalid(message, { code: 'invalid_charge_amount', param: 'amount' });
  }
  if (amount < 50 && currency === 'usd') {
    throw invalid('Amount must be at least $0.50 usd', { code: 'amount_too_small', param: 'amount' });
  }
  if (amount > 99_999_999) {
    const message = 'Amount must be no more than 999,999.99';
    throw invalid(message, { code: 'amount_too_large', param: 'amount' });
  }
}

function checkPaymentMethod(paymentMethod: string) {
  const outcome = cardOutcome(paymentMethod);
  if (!outcome) throw noSuch('PaymentMethod', paymentMethod, 'payment_method', 400);
  return outcome;
}

function unexpectedState(message: string, state: IntentState): Refusal {
  const code = 'payment_intent_unexpected_state';
  const error = { type: 'invalid_request_error', code, message, payment_intent: renderIntent(state) } as const;
  return new Refusal(errorReply(400, error), { executed: true });
}

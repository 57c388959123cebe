/** Everything that the sandbox keeps, and which request reads or changes what. */
import { Accounts } from './accounts';
import { Charges, type Charge } from './charges';
import { Disputes } from './disputes';
import { StripeEvents, type Emit } from './events';
import { Intents } from './intents';
import { Payouts, type Payout } from './payouts';
import { Refunds, type Refund } from './refunds';
import { Router } from './router';
import { search } from './search';
import { Transfers, type Transfer } from './transfers';

/** What happened, as a test reads it. */
export interface Ledgers {
  charges: Charge[];
  refunds: Refund[];
  transfers: Transfer[];
  payouts: Payout[];
}

export class Books {
  readonly accounts = new Accounts();
  /** The key of the request that is being carried out, which is one at a time. */
  currentKey: string | null = null;
  readonly #indexingDelayMs: number;
  /** The last state that the paused search knows. */
  #pausedAfter: number | undefined;
  readonly events = new StripeEvents();
  readonly #emit: Emit = (...told) => this.events.emit(...told);
  readonly #charges = new Charges();
  readonly #disputes = new Disputes(this.#charges, this.#emit);
  readonly #intents = new Intents(
    (intent, chargeId) => this.#charges.add(intent, chargeId, this.currentKey),
    this.#emit,
  );
  readonly #refunds = new Refunds(
    this.#charges,
    () => this.currentKey,
    (id) => this.#intents.has(id),
    this.#emit,
  );
  readonly #transfers = new Transfers(this.accounts, () => this.currentKey, this.#emit);
  readonly #payouts = new Payouts(() => this.currentKey, this.#emit);

  constructor(indexingDelayMs: number) {
    this.#indexingDelayMs = indexingDelayMs;
  }

  routes(): Router {
    const [intents, refunds, transfers, payouts] = [this.#intents, this.#refunds, this.#transfers, this.#payouts];
    return new Router()
      .on('POST', '/v1/payment_intents', (parameters) => intents.create(parameters))
      .on('GET', '/v1/payment_intents/search', (parameters) => search(parameters, this.#indexed()))
      .on('GET', '/v1/payment_intents/:id', (parameters, id) => intents.retrieve(id, parameters))
      .on('POST', '/v1/payment_intents/:id/confirm', (parameters, id) => intents.confirm(id, parameters))
      .on('POST', '/v1/payment_intents/:id/cancel', (parameters, id) => intents.cancel(id, parameters))
      .on('POST', '/v1/refunds', (parameters) => refunds.create(parameters))
      .on('GET', '/v1/refunds', (parameters) => refunds.list(parameters))
      .on('GET', '/v1/refunds/:id', (parameters, id) => refunds.retrieve(parameters, id))
      .on('GET', '/v1/disputes/:id', (parameters, id) => this.#disputes.retrieve(parameters, id))
      .on('POST', '/v1/transfers', (parameters) => transfers.create(parameters))
      .on('GET', '/v1/transfers', (parameters) => transfers.list(parameters))
      .on('GET', '/v1/transfers/:id', (parameters, id) => transfers.retrieve(parameters, id))
      .on('POST', '/v1/payouts', (parameters, _, account) => payouts.create(parameters, account))
      .on('GET', '/v1/payouts', (parameters, _, account) => payouts.list(parameters, account))
      .on('GET', '/v1/payouts/:id', (parameters, id, account) => payouts.retrieve(parameters, id, account));
  }

  /** @param callsOf how many HTTP calls were seen with an idempotency key */
  ledgers(callsOf: (key: string) => number): Ledgers {
    const withCalls = <Entry extends { idempotencyKey: string | null }>(entry: Entry) => ({
      ...entry,
      calls: entry.idempotencyKey === null ? 1 : callsOf(entry.idempotencyKey),
    });
    return {
      charges: this.#charges.ledger().map(withCalls),
      refunds: this.#refunds.ledger().map(withCalls),
      transfers: this.#transfers.ledger().map(withCalls),
      payouts: this.#payouts.ledger().map(withCalls),
    };
  }

  /** The customer's doing, under no key of ours. */
  authenticate(paymentIntentId: string, succeeds: boolean): void {
    this.currentKey = null;
    this.#intents.authenticate(paymentIntentId, succeeds);
  }

  /** The customer claims a payment back from the bank. */
  dispute(paymentIntentId: string): string {
    return this.#disputes.open(paymentIntentId);
  }

  passTime(): void {
    this.#refunds.settle();
    this.#payouts.settle();
  }

  pauseIndexing(): void {
    this.#pausedAfter = this.#intents.saved;
  }

  resumeIndexing(): void {
    this.#pausedAfter = undefined;
  }

  #indexed() {
    return this.#intents.indexed((version) => this.#isIndexed(version));
  }

  #isIndexed(version: { savedAt: number; number: number }): boolean {
    if (this.#pausedAfter !== undefined && version.number > this.#pausedAfter) return false;
    return version.savedAt <= Date.now() - this.#indexingDelayMs;
  }
}

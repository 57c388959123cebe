/** Payouts from an account's balance to its bank account or debit card: create, retrieve, list. */
import type Stripe from 'stripe';
import { checkMoved, deposit, refused, withdraw, type ConnectedAccount, type ExternalAccount } from './accounts';
import { invalid, noSuch } from './errors';
import { listPage, readPage } from './lists';
import type { Emit } from './events';
import { newId } from './objects';
import { fields, integer, metadata, oneOf, required, text } from './parameters';

/** A payout that was asked for and not refused. */
export interface Payout {
  payoutId: string;
  account: string;
  idempotencyKey: string | null;
  amount: number;
  currency: string;
  destination: string;
  method: 'standard' | 'instant';
  status: 'pending' | 'paid' | 'failed';
  metadata: Record<string, string>;
  /** Milliseconds since 1970. */
  at: number;
  /** HTTP calls seen so far with this idempotency key. */
  calls: number;
}

type RecordedPayout = Omit<Payout, 'calls'>;

const readCreate = fields({
  amount: integer,
  currency: text,
  destination: text,
  metadata,
  method: oneOf('standard', 'instant'),
});
const readList = fields({
  created: fields({ gte: integer }),
  destination: text,
  limit: integer,
  starting_after: text,
});
const readNothing = fields({});

const DAY_MS = 86_400_000;

export class Payouts {
  readonly #payouts: { payout: RecordedPayout; from: ConnectedAccount; to: ExternalAccount }[] = [];
  readonly #currentKey: () => string | null;
  readonly #emit: Emit;

  /** `currentKey` is that of the request being carried out. */
  constructor(currentKey: () => string | null, emit: Emit) {
    this.#emit = emit;
    this.#currentKey = currentKey;
  }

  create(parameters: unknown, from: ConnectedAccount): object {
    const read = readCreate(parameters, '');
    const amount = required(read.amount, 'amount');
    const currency = required(read.currency, 'currency').toLowerCase();
    const method = read.method ?? 'standard';
    checkMoved(amount, currency);
    const to = externalOf(from, read.destination, currency);
    if (!from.payouts)
      throw refused('Cannot create payouts: this account has payouts disabled.', 'payouts_not_allowed');
    if (method === 'instant' && !to.instant) {
      throw refused('This external account is not eligible for Instant Payouts.', 'instant_payouts_unsupported');
    }
    withdraw(from, amount, currency);
    const payout: RecordedPayout = {
      payoutId: newId('po'),
      account: from.id,
      idempotencyKey: this.#currentKey(),
      amount,
      currency,
      destination: to.id,
      method,
      status: 'pending',
      metadata: read.metadata ?? {},
      at: Date.now(),
    };
    this.#payouts.push({ payout, from, to });
    this.#emit('payout.created', render(payout), from.id);
    return render(payout);
  }

  retrieve(parameters: unknown, id: string, account: ConnectedAccount): object {
    readNothing(parameters, '');
    const found = this.#of(account).find(({ payoutId }) => payoutId === id);
    if (!found) throw noSuch('payout', id, 'payout', 404);
    return render(found);
  }

  list(parameters: unknown, account: ConnectedAccount): object {
    const read = readList(parameters, '');
    const since = (read.created?.gte ?? 0) * 1000;
    const wanted = this.#of(account).filter(
      ({ destination, at }) => (read.destination === undefined || read.destination === destination) && at >= since,
    );
    return listPage(wanted.toReversed().map(render), readPage(read), '/v1/payouts');
  }

  /** As if some days had passed: what was pending is paid, or came back from an account that is closed. */
  settle(): void {
    for (const { payout, from, to } of this.#payouts) {
      if (payout.status !== 'pending') continue;
      payout.status = to.closed ? 'failed' : 'paid';
      if (to.closed) deposit(from, payout.amount, payout.currency);
      this.#emit(`payout.${payout.status}`, render(payout), from.id);
    }
  }

  ledger(): RecordedPayout[] {
    return this.#payouts.map(({ payout }) => ({ ...payout }));
  }

  #of({ id }: ConnectedAccount): RecordedPayout[] {
    return this.#payouts.flatMap(({ payout, from }) => (from.id === id ? [payout] : []));
  }
}

function externalOf({ externals }: ConnectedAccount, wanted: string | undefined, currency: string): ExternalAccount {
  const found = wanted === undefined ? externals[0] : externals.find(({ id }) => id === wanted);
  if (found) return found;
  if (wanted !== undefined) throw noSuch('external account', wanted, 'destination', 400);
  throw invalid(`Sorry, you don't have any external accounts in that currency (${currency}).`);
}

function render(payout: RecordedPayout) {
  const failed = payout.status === 'failed';
  const { payoutId } = payout;
  return {
    id: payoutId,
    object: 'payout',
    amount: payout.amount,
    application_fee: null,
    application_fee_amount: null,
    arrival_date: Math.floor((payout.at + (payout.method === 'instant' ? 0 : 2 * DAY_MS)) / 1000),
    automatic: false,
    balance_transaction: payoutId.replace('po_', 'txn_'),
    created: Math.floor(payout.at / 1000),
    currency: payout.currency,
    description: null,
    destination: payout.destination,
    failure_balance_transaction: failed ? payoutId.replace('po_', 'txn_f') : null,
    failure_code: failed ? 'account_closed' : null,
    failure_message: failed ? 'The bank account has been closed' : null,
    livemode: false,
    metadata: payout.metadata,
    method: payout.method,
    original_payout: null,
    payout_method: null,
    reconciliation_status: 'not_applicable',
    reversed_by: null,
    source_type: 'card',
    statement_descriptor: null,
    status: payout.status,
    trace_id: null,
    type: payout.destination.startsWith('card_') ? 'card' : 'bank_account',
  } satisfies Stripe.Payout;
}

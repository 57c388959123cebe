/** Transfers from the platform to connected accounts: create, retrieve, list. */
import type Stripe from 'stripe';
import { checkMoved, deposit, refused, withdraw, type Accounts } from './accounts';
import { invalid, noSuch } from './errors';
import { listPage, readPage } from './lists';
import type { Emit } from './events';
import { newId } from './objects';
import { fields, integer, metadata, required, text } from './parameters';

/** A transfer that happened. */
export interface Transfer {
  transferId: string;
  idempotencyKey: string | null;
  amount: number;
  currency: string;
  destination: string;
  transferGroup: string | null;
  metadata: Record<string, string>;
  /** Milliseconds since 1970. */
  at: number;
  /** HTTP calls seen so far with this idempotency key. */
  calls: number;
}

type RecordedTransfer = Omit<Transfer, 'calls'>;

const readCreate = fields({ amount: integer, currency: text, destination: text, metadata, transfer_group: text });
const readList = fields({ destination: text, transfer_group: text, limit: integer, starting_after: text });
const readNothing = fields({});

export class Transfers {
  readonly #transfers: RecordedTransfer[] = [];
  readonly #accounts: Accounts;
  readonly #currentKey: () => string | null;
  readonly #emit: Emit;

  /** `currentKey` is that of the request being carried out. */
  constructor(accounts: Accounts, currentKey: () => string | null, emit: Emit) {
    this.#emit = emit;
    this.#accounts = accounts;
    this.#currentKey = currentKey;
  }

  create(parameters: unknown): object {
    const read = readCreate(parameters, '');
    const currency = required(read.currency, 'currency').toLowerCase();
    const destination = required(read.destination, 'destination');
    if (read.amount === undefined) throw invalid('You must pass an amount.', { param: 'amount' });
    checkMoved(read.amount, currency);
    const to = this.#accounts.connected(destination);
    if (!to) throw noSuch('destination', destination, 'destination', 400);
    if (!to.transfers) {
      const message =
        'Your destination account needs to have at least one of the following capabilities enabled: transfers, crypto_transfers, legacy_payments';
      throw refused(message, 'insufficient_capabilities_for_transfer');
    }
    withdraw(this.#accounts.platform, read.amount, currency);
    deposit(to, read.amount, currency);
    const transfer: RecordedTransfer = {
      transferId: newId('tr'),
      idempotencyKey: this.#currentKey(),
      amount: read.amount,
      currency,
      destination,
      transferGroup: read.transfer_group ?? null,
      metadata: read.metadata ?? {},
      at: Date.now(),
    };
    this.#transfers.push(transfer);
    this.#emit('transfer.created', render(transfer));
    return render(transfer);
  }

  retrieve(parameters: unknown, id: string): object {
    readNothing(parameters, '');
    const transfer = this.#transfers.find(({ transferId }) => transferId === id);
    if (!transfer) throw noSuch('transfer', id, 'transfer', 404);
    return render(transfer);
  }

  list(parameters: unknown): object {
    const read = readList(parameters, '');
    const wanted = this.#transfers.filter(
      ({ destination, transferGroup }) =>
        (read.destination === undefined || read.destination === destination) &&
        (read.transfer_group === undefined || read.transfer_group === transferGroup),
    );
    return listPage(wanted.toReversed().map(render), readPage(read), '/v1/transfers');
  }

  ledger(): RecordedTransfer[] {
    return this.#transfers.map((transfer) => ({ ...transfer }));
  }
}

function render(transfer: RecordedTransfer) {
  const { transferId } = transfer;
  return {
    id: transferId,
    object: 'transfer',
    amount: transfer.amount,
    amount_reversed: 0,
    balance_transaction: transferId.replace('tr_', 'txn_'),
    created: Math.floor(transfer.at / 1000),
    currency: transfer.currency,
    description: null,
    destination: transfer.destination,
    destination_payment: transferId.replace('tr_', 'py_'),
    livemode: false,
    metadata: transfer.metadata,
    reversals: { object: 'list', data: [], has_more: false, url: `/v1/transfers/${transferId}/reversals` },
    reversed: false,
    source_transaction: null,
    source_type: 'card',
    transfer_group: transfer.transferGroup,
  } satisfies Stripe.Transfer;
}

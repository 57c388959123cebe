/**
 * The platform and the accounts that are connected to it: what each may do, where it can be paid out to, and what it has.
 * Connected accounts are there from the start, as a platform's onboarding would have made them.
 */
import { errorReply, invalid, Refusal } from './errors';

/** A bank account or debit card; what happens to a payout to it. */
export interface ExternalAccount {
  id: string;
  kind: 'bank_account' | 'card';
  instant: boolean;
  /** Payouts to it are accepted and come back some time later. */
  closed: boolean;
}

export interface ConnectedAccount {
  id: string;
  transfers: boolean;
  payouts: boolean;
  externals: ExternalAccount[];
  /** Minor units that can be moved now, by currency; may be negative. */
  available: Map<string, number>;
}

const PLENTY = 1_000_000_000;

const BANK = { id: 'ba_venue', kind: 'bank_account', instant: false, closed: false } as const;
const CARD = { id: 'card_venue', kind: 'card', instant: true, closed: false } as const;
const CLOSED = { id: 'ba_closed', kind: 'bank_account', instant: false, closed: true } as const;

export class Accounts {
  readonly platform: ConnectedAccount = {
    id: 'acct_sandbox',
    transfers: true,
    payouts: true,
    externals: [],
    available: new Map([
      ['usd', PLENTY],
      ['eur', PLENTY],
    ]),
  };
  readonly #connected = new Map(
    [
      account('acct_venue', { externals: [BANK, CARD, CLOSED] }),
      account('acct_restricted', { transfers: false }),
      account('acct_without_payouts', { payouts: false }),
    ].map((one) => [one.id, one]),
  );

  find(id: string): ConnectedAccount | undefined {
    return id === this.platform.id ? this.platform : this.#connected.get(id);
  }

  connected(id: string): ConnectedAccount | undefined {
    return this.#connected.get(id);
  }

  setAvailable(id: string, currency: string, amount: number): void {
    const one = this.find(id);
    if (!one) throw new Error(`the sandbox has no account ${id}`);
    one.available.set(currency, amount);
  }
}

/** Takes what is to be moved out of an account, if it is there. */
export function withdraw(from: ConnectedAccount, amount: number, currency: string): void {
  const available = from.available.get(currency) ?? 0;
  if (amount > available) {
    const message =
      'You have insufficient available funds in your Stripe account. Try adding funds directly to your available balance by creating Charges using the 4000000000000077 test card. See: https://stripe.com/docs/testing#available-balance';
    throw refused(message, 'balance_insufficient');
  }
  deposit(from, -amount, currency);
}

export function deposit(to: ConnectedAccount, amount: number, currency: string): void {
  to.available.set(currency, (to.available.get(currency) ?? 0) + amount);
}

export function checkMoved(amount: number, currency: string): void {
  if (amount < 1) {
    const message = 'This value must be greater than or equal to 1.';
    throw invalid(message, { code: 'parameter_invalid_integer', param: 'amount' });
  }
  if (!/^[a-z]{3}$/.test(currency)) throw invalid(`Invalid currency: ${currency}`, { param: 'currency' });
}

/** A definite no that is about the account and not about the request. */
export function refused(message: string, code: string): Refusal {
  return new Refusal(errorReply(400, { type: 'invalid_request_error', message, code }), { executed: true });
}

function account(id: string, over: Partial<ConnectedAccount>): ConnectedAccount {
  return { id, transfers: true, payouts: true, externals: [BANK], available: new Map(), ...over };
}

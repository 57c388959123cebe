/**
 * A stand-in for Stripe over HTTP that keeps state: what a charge costs when an answer is lost can only
 * be seen against something that remembers. Reachable from this process by the returned handle and from others through
 * /_sandbox (see ../control.ts).
 */
import type { Fault, FaultHandle } from '../faults';
import { serveSandbox, type Exchange, type ServeOptions } from '../serve';
import type { Charge } from './charges';
import type { StripeEvents, WebhookEndpoint } from './events';
import type { Payout } from './payouts';
import type { Refund } from './refunds';
import { StripeService } from './service';
import type { Transfer } from './transfers';

export type { Charge } from './charges';

export type StripeExchange = Exchange;

export interface StripeSandboxOptions extends ServeOptions {
  /** How far the search runs behind; not at all when absent. */
  indexingDelayMs?: number;
  /** Where webhooks are sent as things happen. */
  webhooks?: WebhookEndpoint;
}

export interface StripeSandbox {
  url: string;
  ledger(): Charge[];
  refunds(): Refund[];
  transfers(): Transfer[];
  payouts(): Payout[];
  /** HTTP calls seen, without those to /_sandbox. */
  calls(): number;
  fault(fault: Fault): FaultHandle;
  clearFaults(): void;
  /** Forgets all idempotency keys, as Stripe may do after a day. */
  expireKeys(): void;
  /** The customer has come back from the bank's page, with or without having proved to be the customer. */
  authenticate(paymentIntentId: string, succeeds: boolean): void;
  /** What is told by webhook: found by type and object, or sent as it happens. */
  events: StripeEvents;
  /** The customer claims a payment back from the bank; answers with the dispute's id. */
  dispute(paymentIntentId: string): string;
  /** As if some days had passed: what was pending has succeeded, and what a bank sends back has failed. */
  passTime(): void;
  /** What an account can move now, in minor units; `acct_sandbox` is the platform. */
  setAvailable(account: string, currency: string, amount: number): void;
  /** From now on the search shows nothing newer than this moment, until `resumeIndexing`. */
  pauseIndexing(): void;
  resumeIndexing(): void;
  close(): Promise<void>;
}

export async function startStripeSandbox(options: StripeSandboxOptions = {}): Promise<StripeSandbox> {
  const service = new StripeService(options.indexingDelayMs ?? 0);
  const { books, faults, keys } = service;
  if (options.webhooks) books.events.sendTo(options.webhooks);
  const controls = {
    calls: () => service.calls,
    fault: (fault: Fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    expireKeys: () => keys.expire(),
  };
  const server = await serveSandbox(service, { ...controls, ledger: () => ({ ...service.ledgers() }) }, options);
  return {
    ...controls,
    ...server,
    ledger: () => service.ledgers().charges,
    refunds: () => service.ledgers().refunds,
    transfers: () => service.ledgers().transfers,
    payouts: () => service.ledgers().payouts,
    authenticate: (paymentIntentId, succeeds) => books.authenticate(paymentIntentId, succeeds),
    events: books.events,
    dispute: (paymentIntentId) => books.dispute(paymentIntentId),
    passTime: () => books.passTime(),
    setAvailable: (account, currency, amount) => books.accounts.setAvailable(account, currency, amount),
    pauseIndexing: () => books.pauseIndexing(),
    resumeIndexing: () => books.resumeIndexing(),
  };
}

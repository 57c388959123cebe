/**
 * A stand-in for Stripe over HTTP that keeps state: what a charge costs when an answer is lost can only
 * be seen against something that remembers. Reachable from this process by the returned handle and from others through
 * /_sandbox (see ../control.ts).
 */
import type { Fault, FaultHandle } from '../faults';
import { serveSandbox, type Exchange, type ServeOptions } from '../serve';
import type { Charge } from './charges';
import type { Refund } from './refunds';
import { StripeService } from './service';

export type { Charge } from './charges';

export type StripeExchange = Exchange;

export interface StripeSandboxOptions extends ServeOptions {
  /** How far the search runs behind; not at all when absent. */
  indexingDelayMs?: number;
}

export interface StripeSandbox {
  url: string;
  ledger(): Charge[];
  refunds(): Refund[];
  /** HTTP calls seen, without those to /_sandbox. */
  calls(): number;
  fault(fault: Fault): FaultHandle;
  clearFaults(): void;
  /** Forgets all idempotency keys, as Stripe may do after a day. */
  expireKeys(): void;
  /** As if some time had passed: pending refunds have succeeded, and those that the bank sends back have failed. */
  settleRefunds(): void;
  /** From now on the search shows nothing newer than this moment, until `resumeIndexing`. */
  pauseIndexing(): void;
  resumeIndexing(): void;
  close(): Promise<void>;
}

export async function startStripeSandbox(options: StripeSandboxOptions = {}): Promise<StripeSandbox> {
  const service = new StripeService(options.indexingDelayMs ?? 0);
  const controls = {
    ledger: () => service.ledger(),
    refunds: () => service.refunds(),
    settleRefunds: () => service.settleRefunds(),
    calls: () => service.calls,
    fault: (fault: Fault) => service.faults.add(fault),
    clearFaults: () => service.faults.clear(),
    expireKeys: () => service.keys.expire(),
  };
  const served = { ...controls, ledger: () => ({ charges: controls.ledger(), refunds: controls.refunds() }) };
  const server = await serveSandbox(service, served, options);
  return {
    ...controls,
    ...server,
    pauseIndexing: () => service.pauseIndexing(),
    resumeIndexing: () => service.resumeIndexing(),
  };
}

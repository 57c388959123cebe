/**
 * A stand-in for Stripe's PaymentIntents over HTTP that keeps state: what a charge costs when an answer is lost can only
 * be seen against something that remembers. Reachable from this process by the returned handle and from others through
 * /_sandbox (see ../control.ts).
 */
import { answerControl } from '../control';
import type { Fault, FaultHandle } from '../faults';
import { startServer, type Address, type Handled, type SandboxRequest } from '../http';
import { StripeService, type Charge } from './service';

export type { Charge } from './service';

/** One request and what it was answered; `reply` says so when it was not. */
export interface StripeExchange {
  request: SandboxRequest;
  reply: Handled;
}

export interface StripeSandboxOptions extends Address {
  /** How far the search runs behind; not at all when absent. */
  indexingDelayMs?: number;
  onExchange?: (exchange: StripeExchange) => void;
}

export interface StripeSandbox {
  url: string;
  ledger(): Charge[];
  /** HTTP calls seen, without those to /_sandbox. */
  calls(): number;
  fault(fault: Fault): FaultHandle;
  clearFaults(): void;
  /** Forgets all idempotency keys, as Stripe may do after a day. */
  expireKeys(): void;
  /** From now on the search shows nothing newer than this moment, until `resumeIndexing`. */
  pauseIndexing(): void;
  resumeIndexing(): void;
  close(): Promise<void>;
}

export async function startStripeSandbox(options: StripeSandboxOptions = {}): Promise<StripeSandbox> {
  const service = new StripeService(options.indexingDelayMs ?? 0);
  const controls = {
    ledger: () => service.ledger(),
    calls: () => service.calls,
    fault: (fault: Fault) => service.faults.add(fault),
    clearFaults: () => service.faults.clear(),
    expireKeys: () => service.keys.expire(),
  };
  const handle = async (request: SandboxRequest): Promise<Handled> => {
    const control = answerControl(request, { ...controls, ledger: () => ({ charges: controls.ledger() }) });
    if (control) return control;
    const reply = await service.handle(request);
    options.onExchange?.({ request, reply });
    return reply;
  };
  const server = await startServer(handle, options);
  return {
    ...controls,
    url: server.url,
    pauseIndexing: () => service.pauseIndexing(),
    resumeIndexing: () => service.resumeIndexing(),
    close: () => {
      service.faults.clear();
      return server.close();
    },
  };
}

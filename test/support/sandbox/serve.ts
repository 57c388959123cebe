import { answerControl, type SandboxControls } from './control';
import type { ActiveFault, Fault, FaultHandle, FaultPlan } from './faults';
import { startServer, type Address, type Handled, type SandboxReply, type SandboxRequest } from './http';

/** A provider as its sandbox knows it. */
export interface SandboxService {
  faults: FaultPlan;
  handle: (request: SandboxRequest) => Promise<Handled>;
}

/** One request and what it was answered; `reply` says so when it was not. */
export interface Exchange {
  request: SandboxRequest;
  reply: Handled;
}

export interface ServeOptions extends Address {
  /** Told of every call, without those to /_sandbox. */
  onExchange?: (exchange: Exchange) => void;
}

/** Serves a provider by HTTP, with the sandbox's own door beside it. */
export async function serveSandbox(
  service: SandboxService,
  controls: SandboxControls,
  options: ServeOptions,
): Promise<{ url: string; close: () => Promise<void> }> {
  const handle = async (request: SandboxRequest): Promise<Handled> => {
    const control = answerControl(request, controls);
    if (control) return control;
    const reply = await service.handle(request);
    options.onExchange?.({ request, reply });
    return reply;
  };
  const server = await startServer(handle, options);
  return {
    url: server.url,
    close: () => {
      service.faults.clear();
      return server.close();
    },
  };
}

/** A provider that remembers what it took. */
export interface RememberingService<Entry> extends SandboxService {
  calls: number;
  ledger: () => Entry[];
}

/** Such a provider as a test holds it. */
export interface StandIn<Entry> {
  url: string;
  ledger(): Entry[];
  /** HTTP calls seen, without those to /_sandbox. */
  calls(): number;
  fault(fault: Fault): FaultHandle;
  clearFaults(): void;
  close(): Promise<void>;
}

/** @param entries what the ledger is called for other processes */
export async function serveStandIn<Entry extends object>(
  service: RememberingService<Entry>,
  entries: string,
  options: ServeOptions,
): Promise<StandIn<Entry>> {
  const controls = {
    ledger: () => service.ledger(),
    calls: () => service.calls,
    fault: (fault: Fault) => service.faults.add(fault),
    clearFaults: () => service.faults.clear(),
  };
  const server = await serveSandbox(
    service,
    { ...controls, ledger: () => ({ [entries]: controls.ledger() }) },
    options,
  );
  return { ...controls, ...server };
}

/** Answers a request, unless a fault keeps the line from carrying it, or the answer. */
export async function underFaults(
  faults: FaultPlan,
  { method, path }: Pick<SandboxRequest, 'method' | 'path'>,
  metadata: Record<string, string>,
  answer: (fault: ActiveFault | undefined) => Promise<SandboxReply>,
): Promise<Handled> {
  const fault = faults.take({ method, path, idempotencyKey: undefined, metadata });
  if (fault?.kind === 'reset-before') return 'reset';
  if (fault?.kind === 'hang') return 'hang';
  const reply = await answer(fault);
  return fault?.kind === 'lose-answer' ? 'reset' : reply;
}

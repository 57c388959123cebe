import { answerControl, type SandboxControls } from './control';
import type { FaultPlan } from './faults';
import { startServer, type Address, type Handled, type SandboxRequest } from './http';

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

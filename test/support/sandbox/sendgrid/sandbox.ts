/**
 * A stand-in for SendGrid's Mail Send over HTTP that remembers every mail it took: only so can a test see that one was
 * sent twice, or never. Reachable from this process by the returned handle and from others through /_sandbox (see
 * ../control.ts).
 */
import { answerControl } from '../control';
import type { Fault, FaultHandle } from '../faults';
import { startServer, type Address, type Handled, type SandboxRequest } from '../http';
import { SendGridService, type SentMail } from './service';

export type { SentMail } from './service';

/** One request and what it was answered; `reply` says so when it was not. */
export interface SendGridExchange {
  request: SandboxRequest;
  reply: Handled;
}

export interface SendGridSandboxOptions extends Address {
  onExchange?: (exchange: SendGridExchange) => void;
}

export interface SendGridSandbox {
  url: string;
  ledger(): SentMail[];
  /** HTTP calls seen, without those to /_sandbox. */
  calls(): number;
  fault(fault: Fault): FaultHandle;
  clearFaults(): void;
  close(): Promise<void>;
}

export async function startSendGridSandbox(options: SendGridSandboxOptions = {}): Promise<SendGridSandbox> {
  const service = new SendGridService();
  const controls = {
    ledger: () => service.ledger(),
    calls: () => service.calls,
    fault: (fault: Fault) => service.faults.add(fault),
    clearFaults: () => service.faults.clear(),
  };
  const handle = async (request: SandboxRequest): Promise<Handled> => {
    const control = answerControl(request, { ...controls, ledger: () => ({ mails: controls.ledger() }) });
    if (control) return control;
    const reply = await service.handle(request);
    options.onExchange?.({ request, reply });
    return reply;
  };
  const server = await startServer(handle, options);
  return {
    ...controls,
    url: server.url,
    close: () => {
      service.faults.clear();
      return server.close();
    },
  };
}

/**
 * A stand-in for SendGrid's Mail Send over HTTP that remembers every mail it took: only so can a test see that one was
 * sent twice, or never. Reachable from this process by the returned handle and from others through /_sandbox (see
 * ../control.ts).
 */
import type { Fault, FaultHandle } from '../faults';
import { serveSandbox, type Exchange, type ServeOptions } from '../serve';
import { SendGridService, type SentMail } from './service';

export type { SentMail } from './service';

export type SendGridExchange = Exchange;

export type SendGridSandboxOptions = ServeOptions;

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
  const served = { ...controls, ledger: () => ({ mails: controls.ledger() }) };
  const server = await serveSandbox(service, served, options);
  return {
    ...controls,
    ...server,
  };
}

/**
 * A stand-in for Twilio's messages over HTTP that remembers every message it took: only so can a test see that one was
 * sent twice, or never. Reachable from this process by the returned handle and from others through /_sandbox (see
 * ../control.ts).
 */
import type { Fault, FaultHandle } from '../faults';
import { serveSandbox, type ServeOptions } from '../serve';
import { startEmulator } from './emulator';
import { TwilioService, type SentText } from './service';

export interface TwilioSandbox {
  url: string;
  ledger(): SentText[];
  /** HTTP calls seen, without those to /_sandbox. */
  calls(): number;
  fault(fault: Fault): FaultHandle;
  clearFaults(): void;
  /** As if it had just been started. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export async function startTwilioSandbox(options: ServeOptions = {}): Promise<TwilioSandbox> {
  const emulator = await startEmulator();
  const service = new TwilioService(emulator.url);
  const controls = {
    ledger: () => service.ledger(),
    calls: () => service.calls,
    fault: (fault: Fault) => service.faults.add(fault),
    clearFaults: () => service.faults.clear(),
  };
  const served = { ...controls, ledger: () => ({ texts: controls.ledger() }) };
  const server = await serveSandbox(service, served, options);
  return {
    ...controls,
    url: server.url,
    reset: () => {
      service.reset();
      return emulator.reset();
    },
    close: async () => {
      await server.close();
      await emulator.close();
    },
  };
}

/**
 * A stand-in for Twilio's messages over HTTP that remembers every message it took: only so can a test see that one was
 * sent twice, or never. Reachable from this process by the returned handle and from others through /_sandbox (see
 * ../control.ts).
 */
import { serveStandIn, type ServeOptions, type StandIn } from '../serve';
import { startEmulator } from './emulator';
import { TwilioService, type SentText } from './service';

export interface TwilioSandbox extends StandIn<SentText> {
  /** Brings a message into a state, and calls whom it was to report to, signed as Twilio signs. */
  report(sid: string, status: string): Promise<void>;
  /** As if it had just been started. */
  reset(): Promise<void>;
}

export interface TwilioSandboxOptions extends ServeOptions {
  /** Every message is sent and delivered, and reported so, by itself. */
  delivers?: boolean;
}

export async function startTwilioSandbox(options: TwilioSandboxOptions = {}): Promise<TwilioSandbox> {
  const emulator = await startEmulator();
  const deliver = async ({ sid }: SentText): Promise<void> => {
    for (const status of ['sent', 'delivered']) await emulator.report(sid, status);
  };
  const service = new TwilioService(
    emulator.url,
    options.delivers ? (text) => void deliver(text).catch(console.error) : undefined,
  );
  const standIn = await serveStandIn(service, 'texts', options);
  return {
    ...standIn,
    report: (sid, status) => emulator.report(sid, status),
    reset: () => {
      service.reset();
      return emulator.reset();
    },
    close: async () => {
      await standIn.close();
      await emulator.close();
    },
  };
}

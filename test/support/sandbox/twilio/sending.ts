/** What a test needs to send through the adapter: a message and a call with everything that does not matter filled in. */
import {
  createTwilioAdapter,
  type TextMessage,
  type TwilioAdapter,
  type TwilioCall,
} from '../../../../src/providers/twilio/adapter';
import { ACCOUNT_SID, AUTH_TOKEN, OUR_NUMBER } from './emulator';

export const TO = '+15558675310';

export function adapterFor(url: string, account: { authToken?: string } = {}): TwilioAdapter {
  return createTwilioAdapter({ accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN, apiBase: url, ...account });
}

/** What the service needs in its environment to send through the sandbox. */
export function twilioVariables(url: string): Record<string, string> {
  return {
    TWILIO_ACCOUNT_SID: ACCOUNT_SID,
    TWILIO_AUTH_TOKEN: AUTH_TOKEN,
    TWILIO_PHONE: OUR_NUMBER,
    TWILIO_API_BASE: url,
  };
}

export function textMessage(changes: Partial<TextMessage> = {}): TextMessage {
  return { jobId: 'job-1', to: TO, from: OUR_NUMBER, text: 'Your tickets are here', ...changes };
}

/** A signal of its own for each call, never aborted unless the test brings one. */
export function textCall(changes: Partial<TwilioCall> = {}): TwilioCall {
  return { timeoutMs: 5_000, signal: new AbortController().signal, ...changes };
}

/** The time of a call that was made just now. */
export function justNow(): { from: Date; until: Date } {
  return { from: new Date(Date.now() - 1_000), until: new Date() };
}

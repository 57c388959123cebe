/**
 * Twilio as the package `emulate` knows it, written by people who know nothing of this service: accounts, numbers, messages
 * and their lists. It is stricter or laxer than Twilio in places, see service.ts.
 */
import { once } from 'node:events';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { freePort } from '../free-port';

export const ACCOUNT_SID = `AC${'0'.repeat(32)}`;
export const AUTH_TOKEN = 'sandbox-auth-token';
/** Of this number Twilio's documentation says that it passes all validation ("Test Credentials"). */
export const OUR_NUMBER = '+15005550006';

export interface Emulator {
  url: string;
  /** Brings a message into a state, and has whom it was to report to called. */
  report(sid: string, status: string): Promise<void>;
  /** Forgets every message. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export async function startEmulator(): Promise<Emulator> {
  const port = await freePort();
  const twilio = {
    account: { sid: ACCOUNT_SID, auth_token: AUTH_TOKEN },
    phone_numbers: [{ phone_number: OUR_NUMBER }],
  };
  const worker = new Worker(path.join(__dirname, 'emulator-thread.mjs'), {
    workerData: { port, baseUrl: `http://127.0.0.1:${port}`, seed: { twilio } },
  });
  const answer = async (): Promise<string> => z.tuple([z.url()]).parse(await once(worker, 'message'))[0];
  const url = await answer();
  return {
    url,
    report: (sid, status) => report(url, sid, status),
    reset: async () => {
      worker.postMessage('reset');
      await answer();
    },
    close: async () => {
      await worker.terminate();
    },
  };
}

async function report(url: string, sid: string, status: string): Promise<void> {
  const answer = await fetch(`${url}/_twilio/simulate/message-status`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${ACCOUNT_SID}:${AUTH_TOKEN}`).toString('base64')}` },
    body: new URLSearchParams({ MessageSid: sid, Status: status }),
    signal: AbortSignal.timeout(10_000),
  });
  if (!answer.ok) throw new Error(`the emulator refuses: ${answer.status} ${await answer.text()}`);
}

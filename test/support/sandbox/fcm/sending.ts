/** What a test needs to send through the adapter: a message and a call with everything that does not matter filled in. */
import { createFcmAdapter, type FcmAdapter } from '../../../../src/providers/fcm/adapter';
import type { PushCall, PushMessage } from '../../../../src/providers/push-message';
import { certificate } from '../http';
import { account } from './account';

export function adapterFor(
  url: string,
  changes: { projectId?: string; privateKey?: string; tokenUri?: string } = {},
): FcmAdapter {
  const { project_id: projectId, client_email: clientEmail, private_key: privateKey } = account;
  return createFcmAdapter({
    account: { projectId, clientEmail, privateKey, tokenUri: `${url}/token`, ...changes },
    apiBase: url,
    ca: certificate,
  });
}

/** What the service needs in its environment to send through the sandbox. */
export function fcmVariables(url: string): Record<string, string> {
  return { FCM_SERVICE_ACCOUNT: JSON.stringify({ ...account, token_uri: `${url}/token` }), FCM_API_BASE: url };
}

export function pushMessage(changes: Partial<PushMessage> = {}): PushMessage {
  return { title: 'Doors open', body: 'Gate 4, from 18:00', data: { eventId: '1' }, tag: 'job-1', ...changes };
}

/** A signal of its own for each call, never aborted unless the test brings one. */
export function pushCall(changes: Partial<PushCall> = {}): PushCall {
  return { timeoutMs: 5_000, signal: new AbortController().signal, ...changes };
}

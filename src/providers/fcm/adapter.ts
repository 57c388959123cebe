/**
 * FCM (Firebase Cloud Messaging): one call hands over one message for one device. It takes no key of ours and offers no way
 * to ask for a message, so what ends `unknown` can only be sent again or given up; on the device the second takes the place
 * of the first.
 *
 * `send` resolves with an answer and never rejects. Process killed before the request left: nothing happened. Killed
 * after it: FCM may have taken the message, and nobody will know.
 */
import type * as firebaseApp from 'firebase-admin/app';
import type * as firebaseMessaging from 'firebase-admin/messaging';
import { ABORTED_BEFORE, type PlainAnswer } from '../answer';
import type { PushCall, PushMessage, SentPush } from '../push-message';
import { ServiceAccountCredential, type ServiceAccount } from './credential';
import { answerFromError, answerFromName } from './errors';
import { Exchange, WatchedAgent, watching } from './exchange';

export interface FcmOptions {
  account: ServiceAccount;
  /** `http(s)://host[:port]`; FCM itself when absent. */
  apiBase?: string;
  /** Certificates in PEM that are trusted beside the usual ones. */
  ca: string | undefined;
}

export interface FcmAdapter {
  /** @param registrationToken of the app on the device */
  send(registrationToken: string, message: PushMessage, call: PushCall): Promise<PlainAnswer<SentPush>>;
}

export function createFcmAdapter(options: FcmOptions): FcmAdapter {
  const credential = new ServiceAccountCredential(options.account, options.ca);
  let messaging: firebaseMessaging.Messaging | undefined;
  return {
    async send(registrationToken, message, { timeoutMs, signal }) {
      if (signal.aborted) return ABORTED_BEFORE;
      const exchange = new Exchange();
      try {
        const opened = (messaging ??= openMessaging(options, credential));
        return answerFromName(
          await watching(exchange, timeoutMs, () => opened.send(toFcm(registrationToken, message))),
        );
      } catch (error) {
        return answerFromError(error, exchange, credential.failure, Date.now());
      }
    },
  };
}

/** Apps have names, and there may be several in a process. */
let apps = 0;

/** On first use: a process that sends no push need not load the SDK. */
function openMessaging(
  { account: { projectId }, apiBase, ca }: FcmOptions,
  credential: ServiceAccountCredential,
): firebaseMessaging.Messaging {
  const { initializeApp }: typeof firebaseApp = require('firebase-admin/app');
  const { getMessaging }: typeof firebaseMessaging = require('firebase-admin/messaging');
  apps += 1;
  const httpAgent = new WatchedAgent(apiBase, ca);
  return getMessaging(initializeApp({ projectId, credential, httpAgent }, `push-${apps}`));
}

function toFcm(registrationToken: string, { title, body, data, tag }: PushMessage): firebaseMessaging.Message {
  return {
    token: registrationToken,
    notification: { title, body },
    data,
    android: { collapseKey: tag, notification: { tag } },
    apns: { headers: { 'apns-collapse-id': tag } },
    webpush: { notification: { tag } },
  };
}

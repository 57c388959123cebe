/** The SDK with everything bounded that axios leaves open, and at the address that is configured. */
import type { MessageListInstance } from 'twilio/lib/rest/api/v2010/account/message';
import type twilio from 'twilio';
import { axiosBounds } from '../axios';

export interface TwilioAccount {
  /** `AC…` */
  accountSid: string;
  authToken: string;
  /** `http(s)://host[:port]`; Twilio itself when absent. */
  apiBase?: string;
  /** Where Twilio is to report what becomes of a message; nowhere when absent. */
  callbackUrl?: string;
}

export interface TwilioClient {
  messages: MessageListInstance;
  /** The header `Retry-After` of the last answer, which the SDK's errors leave out. */
  retryAfter: () => unknown;
}

/** A page of the longest messages that there are, with room to spare. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024;

/**
 * Opens a client for one call, which ends when `deadline` aborts. Loads the SDK at once and not with the first message:
 * that takes a second, in which the process would do nothing else.
 */
export function createTwilioClients(account: TwilioAccount): (deadline: AbortSignal) => TwilioClient {
  const { RequestClient, Twilio }: typeof twilio = require('twilio');
  const bounds = axiosBounds(MAX_ANSWER_BYTES);
  return (deadline) => {
    // One of its own for each call: it carries the signal, and remembers the headers. By itself it retries nothing.
    const httpClient = new RequestClient();
    Object.assign(httpClient.axios.defaults, bounds, { signal: deadline });
    httpClient.axios.interceptors.request.use((request) => {
      request.url = addressOf(request.url ?? '', account.apiBase);
      return request;
    });
    return {
      messages: new Twilio(account.accountSid, account.authToken, { httpClient }).messages,
      retryAfter: () => httpClient.lastResponse?.headers?.['retry-after'],
    };
  };
}

/** The SDK knows only Twilio's own host. */
function addressOf(url: string, apiBase: string | undefined): string {
  if (apiBase === undefined) return url;
  const { pathname, search } = new URL(url);
  return new URL(`${pathname}${search}`, apiBase).toString();
}

/**
 * The wire under the Stripe SDK. The SDK's own HTTP client is replaced for four reasons, each of which would cost money:
 *
 * 1. it repeats a POST after ECONNRESET or EPIPE even with `maxNetworkRetries: 0`, half a second later, which may be
 *    after the moment at which the caller has stopped waiting and started to ask "did this happen?";
 * 2. its time-out starts when the connection stands, so a request may leave minutes late over a connection that hung;
 * 3. it does not tell whether anything was sent: with nothing sent a failure is a definite no, otherwise it is not;
 * 4. a body that is JSON but no object (`"ok"`) ends in an unhandled rejection, and an error status without an `error`
 *    object (404 or 503 of a proxy) in success.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import http from 'node:http';
import https from 'node:https';
import type Stripe from 'stripe';

/**
 * Idle connections are dropped before the other end is likely to drop them: a request written to a connection that is
 * being closed is answered by a reset, and after a reset nobody knows what happened.
 */
const IDLE_CONNECTION_MS = 10_000;

/** The connection gave no complete answer. `sent` false means that the request never left this process. */
export class TransportFailure extends Error {
  /** Not named `code`: the SDK repeats a request whose error has `code` ECONNRESET or EPIPE. */
  readonly reason: string;
  readonly sent: boolean;

  constructor(reason: string, sent: boolean, cause?: unknown) {
    super(`${reason} ${sent ? 'after' : 'before'} the request was sent`, { cause });
    this.name = 'TransportFailure';
    this.reason = reason;
    this.sent = sent;
  }
}

const callSignal = new AsyncLocalStorage<AbortSignal>();

/**
 * Runs SDK calls so that their requests obey `signal`, for which the SDK has no parameter: a request that has not left
 * when the signal aborts never leaves. One that has left is read to its end or time-out, because its answer is a fact.
 */
export function withSignal<Value>(signal: AbortSignal, work: () => Promise<Value>): Promise<Value> {
  return callSignal.run(signal, work);
}

export function createHttpClient(): Stripe.HttpClient {
  const agents = {
    http: new http.Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MS }),
    https: new https.Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MS }),
  };
  return {
    getClientName: () => 'node',
    async makeRequest(host, port, path, method, headers, body, protocol, timeoutMs) {
      const secure = protocol !== 'http';
      const target = { host, port, path, method, headers, agent: secure ? agents.https : agents.http };
      return exchange(() => (secure ? https : http).request(target), {
        body,
        timeoutMs,
        connected: secure ? 'secureConnect' : 'connect',
      });
    },
  };
}

interface Outgoing {
  body: string;
  timeoutMs: number;
  /** The socket's event after which written data really goes out. */
  connected: 'connect' | 'secureConnect';
}

/** Sends one request and reads its whole answer, within `timeoutMs` from now. */
function exchange(open: () => http.ClientRequest, outgoing: Outgoing): Promise<Stripe.HttpClientResponse> {
  const signal = callSignal.getStore();
  let request: http.ClientRequest;
  try {
    request = open();
  } catch (error) {
    // A header that HTTP cannot carry, such as a key with a line break in it.
    return Promise.reject(new TransportFailure(reasonOf(error), false, error));
  }
  let sent = false;
  return new Promise<Stripe.HttpClientResponse>((resolve, reject) => {
    const giveUp = (reason: string) => request.destroy(new TransportFailure(reason, sent));
    const timer = setTimeout(giveUp, outgoing.timeoutMs, 'TIMEOUT');
    const onAbort = () => {
      if (!sent) giveUp('ABORTED');
    };
    const release = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const fail = (error: unknown) => {
      release();
      reject(error instanceof TransportFailure ? error : new TransportFailure(reasonOf(error), sent, error));
    };

    request.on('socket', (socket) => {
      // Node holds written data back until the connection (and its TLS handshake) stands, so this is the last moment
      // at which destroying the request is certain to keep it from the provider.
      if (request.reusedSocket || !socket.connecting) sent = true;
      else socket.once(outgoing.connected, () => (sent = true));
    });
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('close', () => {
        if (!response.complete) return fail(new TransportFailure('ECONNRESET', true));
        release();
        return resolve(answerOf(response, Buffer.concat(chunks).toString('utf8')));
      });
    });
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    request.end(outgoing.body);
  });
}

function answerOf(response: http.IncomingMessage, text: string): Stripe.HttpClientResponse {
  const status = response.statusCode ?? 0;
  return {
    getStatusCode: () => status,
    // A header that came more than once is of no interest here; the SDK's type allows only text.
    getHeaders: () =>
      Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
    getRawResponse: () => response,
    toStream: () => response,
    toJSON: async () => readBody(status, text),
  };
}

/** Only what the SDK can tell apart from success or read as an error gets through; it reports the rest as unreadable. */
function readBody(status: number, text: string): unknown {
  const body: unknown = JSON.parse(text);
  if (!isObject(body)) throw new SyntaxError('The answer is not a JSON object');
  if (status >= 400 && !isObject(body['error'])) throw new SyntaxError(`Status ${status} without an error object`);
  return body;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function reasonOf(error: unknown): string {
  const code = isObject(error) ? error['code'] : undefined;
  return typeof code === 'string' ? code : 'CONNECTION_FAILED';
}

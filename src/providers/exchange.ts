/**
 * One HTTP request and its whole answer, for SDKs that let their own HTTP client be replaced: with nothing sent a failure
 * is a definite no, otherwise it is not, and only the wire knows which. Nothing is repeated, no redirect is followed, no
 * proxy variable of the environment is obeyed, and the time limit is for all of it.
 */
import http from 'node:http';
import https from 'node:https';
import type { FailureAnswer } from './answer';
import { token } from './axios';

/**
 * Idle connections are dropped before the other end is likely to drop them: a request written to a connection that is
 * being closed is answered by a reset, and after a reset nobody knows what happened.
 */
const IDLE_CONNECTION_MS = 10_000;

/** The connection gave no complete answer. `sent` false means that the request never left this process. */
export class TransportFailure extends Error {
  /** Not named `code`: Stripe's SDK repeats a request whose error has `code` ECONNRESET or EPIPE. */
  readonly reason: string;
  readonly sent: boolean;

  constructor(reason: string, sent: boolean, cause?: unknown) {
    super(`${reason} ${sent ? 'after' : 'before'} the request was sent`, { cause });
    this.name = 'TransportFailure';
    this.reason = reason;
    this.sent = sent;
  }
}

export interface Address {
  secure: boolean;
  host: string;
  port: string | number;
  path: string;
  method: string;
  headers: http.OutgoingHttpHeaders;
}

export interface Outgoing {
  body: string;
  timeoutMs: number;
  /**
   * A request that has not left when it aborts never leaves. One that has left is read to its end or time-out, because
   * its answer is a fact.
   */
  signal: AbortSignal | undefined;
}

export interface WholeAnswer {
  status: number;
  /** A header that came more than once is of no interest here. */
  headers: Record<string, string>;
  text: string;
  response: http.IncomingMessage;
}

/** Rejects with a TransportFailure. */
export type Exchange = (address: Address, outgoing: Outgoing) => Promise<WholeAnswer>;

/** Requests that share their connections. */
export function createExchange(): Exchange {
  const agents = {
    http: new http.Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MS }),
    https: new https.Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MS }),
  };
  return ({ secure, ...address }, outgoing) => {
    const target = { ...address, agent: secure ? agents.https : agents.http };
    return send(() => (secure ? https : http).request(target), outgoing, secure ? 'secureConnect' : 'connect');
  };
}

/** @param connected the socket's event after which written data really goes out */
function send(
  open: () => http.ClientRequest,
  { body, timeoutMs, signal }: Outgoing,
  connected: 'connect' | 'secureConnect',
): Promise<WholeAnswer> {
  let request: http.ClientRequest;
  try {
    request = open();
  } catch (error) {
    // A header that HTTP cannot carry, such as a key with a line break in it.
    return Promise.reject(new TransportFailure(reasonOf(error), false, error));
  }
  let sent = false;
  return new Promise<WholeAnswer>((resolve, reject) => {
    const giveUp = (reason: string) => request.destroy(new TransportFailure(reason, sent));
    const timer = setTimeout(giveUp, timeoutMs, 'TIMEOUT');
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
      else socket.once(connected, () => (sent = true));
    });
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('close', () => {
        if (!response.complete) return fail(new TransportFailure('ECONNRESET', true));
        release();
        return resolve(wholeAnswer(response, Buffer.concat(chunks).toString('utf8')));
      });
    });
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    request.end(body);
  });
}

function wholeAnswer(response: http.IncomingMessage, text: string): WholeAnswer {
  const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
  return { status: response.statusCode ?? 0, headers, text, response };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function reasonOf(error: unknown): string {
  const code = isObject(error) ? error['code'] : undefined;
  return typeof code === 'string' ? code : 'CONNECTION_FAILED';
}

/** What it means that no complete answer came. */
export function answerFromFailure({ reason, sent }: TransportFailure, provider: string): FailureAnswer {
  const code = token(reason) || 'CONNECTION_FAILED';
  return sent
    ? { kind: 'unknown', code, message: `No complete answer from ${provider}: ${code}`, trouble: 'down' }
    : { kind: 'refused', code, message: `${provider} was not reached, nothing was sent: ${code}`, trouble: 'down' };
}

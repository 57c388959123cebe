/**
 * What the SDK leaves open, which sends with Node's own client: it asks again by itself after a broken connection and a 503,
 * waits for a quarter of a minute whatever is left of the attempt, and hides whether anything was sent. Every request of
 * the SDK passes an agent, so that it can be counted and cut off there.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { Agent } from 'agent-base';
import { IDLE_CONNECTION_MS, trusting } from '../../platform/outbound/agents';
import { DeadlineError } from '../../platform/outbound/post';

/** An answer is the id of a message, or says what is wrong with one. */
const MAX_ANSWER_BYTES = 64 * 1024;

class AnswerTooLongError extends Error {
  readonly code = 'ANSWER_TOO_LONG';
}

/** The one request that a call may make, as it was seen on its way. */
export class Exchange {
  /** Undefined while no answer has begun. */
  status: number | undefined;
  retryAfter: unknown;
  /** Why there is no answer, if the request itself failed. */
  failure: unknown;
  private request: http.ClientRequest | undefined;
  private closed = false;
  private onCut: (error: Error) => void = () => undefined;
  /** Rejects when the call is cut off. */
  readonly whenCut = new Promise<never>((_, reject) => {
    this.onCut = reject;
  });

  /** Whether a request was made at all; whether it arrived, nobody knows. */
  get begun(): boolean {
    return this.request !== undefined;
  }

  /** @throws when the call has made its request already, or was told that it made none */
  watch(request: http.ClientRequest): void {
    if (this.request || this.closed) throw new Error('a call makes one request');
    this.request = request;
    request.once('error', (error) => {
      this.failure = error;
    });
    request.prependOnceListener('response', (response) => this.see(response));
  }

  /** Ends the call, whatever the SDK waits for: one that is cut off in the middle of its answer it waits for in vain. */
  cut(error: Error): void {
    this.closed = true;
    this.failure = error;
    this.request?.destroy(error);
    this.onCut(error);
  }

  private see(response: http.IncomingMessage): void {
    this.status = response.statusCode;
    this.retryAfter = response.headers['retry-after'];
    // Or the SDK would wait for so long before it finds that it may not ask again.
    delete response.headers['retry-after'];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) this.cut(new AnswerTooLongError('more than an answer can be'));
    });
  }
}

const calls = new AsyncLocalStorage<Exchange>();

/** Runs a call of the SDK, with a limit for the whole of it. @throws DeadlineError, or what the SDK throws */
export async function watching<Value>(
  exchange: Exchange,
  timeoutMs: number,
  call: () => Promise<Value>,
): Promise<Value> {
  const timer = setTimeout(() => exchange.cut(new DeadlineError('no whole answer in time')), timeoutMs);
  try {
    return await Promise.race([calls.run(exchange, call), exchange.whenCut]);
  } finally {
    clearTimeout(timer);
  }
}

/** Shows every request to the call that makes it, and leads all of them to the configured place. */
export class WatchedAgent extends Agent {
  private readonly inner: http.Agent;

  /** @param apiBase FCM itself when undefined */
  constructor(apiBase: string | undefined, ca: string | undefined) {
    super();
    this.inner = innerAgent(apiBase, ca);
  }

  override connect(request: http.ClientRequest): http.Agent {
    calls.getStore()?.watch(request);
    return this.inner;
  }
}

function innerAgent(apiBase: string | undefined, ca: string | undefined): http.Agent {
  const kept = { keepAlive: true, timeout: IDLE_CONNECTION_MS };
  if (apiBase === undefined) return new https.Agent({ ...kept, ...trusting(ca) });
  // The SDK knows only its own host; an agent's options come before those of a request.
  const { protocol, hostname, port } = new URL(apiBase);
  if (protocol === 'http:') return new http.Agent({ ...kept, host: hostname, port: Number(port) || 80 });
  // TLS has no names for addresses (RFC 6066).
  const servername = isIP(hostname) === 0 ? hostname : '';
  return new https.Agent({ ...kept, ...trusting(ca), host: hostname, port: Number(port) || 443, servername });
}

/** How every call goes to Square, whatever it asks for: with its own limits, once, and answered without an exception. */
import type { SquareClient as Sdk } from 'square';
import type { FailureAnswer, LookupAnswer, ProviderAnswer, UnknownLookup } from '../answer';
import { act, look, type EffectCall, type LookupCall } from '../calls';
import { createExchange, type Exchange } from '../exchange';
import { answerFromError } from './errors';

export interface SquareOptions {
  accessToken: string;
  /** `http(s)://host[:port]`; Square itself when absent. */
  apiBase?: string;
}

type Request<Answer> = (square: Sdk) => Promise<Answer>;

export interface SquareClient {
  /** Asks for an effect. Never rejects. */
  act<Value, Answer extends ProviderAnswer<Value>>(
    call: EffectCall<Value>,
    request: Request<Answer>,
  ): Promise<Answer | FailureAnswer>;
  /** Asks what is there. Never rejects. */
  look<Answer extends LookupAnswer<unknown>>(
    call: LookupCall,
    request: Request<Answer>,
  ): Promise<Answer | UnknownLookup>;
}

/** Loads the SDK at once and not with the first call: that takes seconds, in which the process would do nothing else. */
export function createSquareClient({ accessToken, apiBase }: SquareOptions): SquareClient {
  const { SquareClient: Client }: { SquareClient: typeof Sdk } = require('square');
  const exchange = createExchange();
  /** One of its own for each call, since its `fetch` is where a call's limits can be kept. */
  const open = (call: LookupCall) =>
    new Client({
      token: accessToken,
      ...(apiBase === undefined ? {} : { baseUrl: apiBase }),
      maxRetries: 0,
      // Not waited for: it would not cover the body, and a call that failed would leave its timer running for a minute.
      timeoutInSeconds: 0.001,
      fetch: createFetch(exchange, call),
    });
  return {
    act: (call, request) =>
      act(call, 'Square', () => Promise.resolve(request(open(call))).catch((error: unknown) => answerFromError(error))),
    look: (call, request) => look(call, 'Square', () => request(open(call)), answerFromError),
  };
}

/**
 * The wire under the SDK. Its own does not tell whether a request had left when it failed, stops its time limit at the
 * first byte of an answer, and follows redirects with the token in its hands.
 */
function createFetch(exchange: Exchange, { timeoutMs, signal }: LookupCall): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const address = {
      secure: url.protocol === 'https:',
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port,
      path: `${url.pathname}${url.search}`,
      method: init?.method ?? 'GET',
      headers: Object.fromEntries(new Headers(init?.headers)),
    };
    const body = typeof init?.body === 'string' ? init.body : '';
    const answer = await exchange(address, { body, timeoutMs: Math.max(1, Math.floor(timeoutMs)), signal });
    return new Response(answer.text, { status: answer.status, headers: answer.headers });
  };
}

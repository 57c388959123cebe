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
import type Stripe from 'stripe';
import { createExchange, isObject, type WholeAnswer } from '../exchange';

const callSignal = new AsyncLocalStorage<AbortSignal>();

/**
 * Runs SDK calls so that their requests obey `signal`, for which the SDK has no parameter: a request that has not left
 * when the signal aborts never leaves. One that has left is read to its end or time-out, because its answer is a fact.
 */
export function withSignal<Value>(signal: AbortSignal, work: () => Promise<Value>): Promise<Value> {
  return callSignal.run(signal, work);
}

export function createHttpClient(): Stripe.HttpClient {
  const exchange = createExchange();
  return {
    getClientName: () => 'node',
    async makeRequest(host, port, path, method, headers, body, protocol, timeoutMs) {
      const address = { secure: protocol !== 'http', host, port, path, method, headers };
      return answerOf(await exchange(address, { body, timeoutMs, signal: callSignal.getStore() }));
    },
  };
}

function answerOf({ status, headers, text, response }: WholeAnswer): Stripe.HttpClientResponse {
  return {
    getStatusCode: () => status,
    getHeaders: () => headers,
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

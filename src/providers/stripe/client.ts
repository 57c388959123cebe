/** How every call goes to Stripe, whatever it asks for: with its own limits, once, and answered without an exception. */
import type Stripe from 'stripe';
import {
  ABORTED_BEFORE,
  unknownLookup,
  type HeldAnswer,
  type LookupAnswer,
  type ProviderAnswer,
  type UnknownLookup,
} from '../answer';
import { answerFromError, type FailureAnswer, type ParameterCodes } from './errors';
import { createHttpClient, withSignal } from './http-client';

export interface StripeOptions {
  secretKey: string;
  /** `http://host:port` or `https://host`, without a path; Stripe itself when absent. */
  apiBase?: string;
  /** No call takes longer than this, whatever its own `timeoutMs` says. */
  timeoutMs?: number;
}

export interface LookupCall {
  /** From the start of a request to the last byte of its answer. */
  timeoutMs: number;
  /** Aborting resolves the call at once as `unknown` and keeps back a request that has not left yet. */
  signal: AbortSignal;
}

export interface EffectCall<Value> extends LookupCall {
  /** Sent as the idempotency key and kept in the metadata, where lookups search for it. */
  providerKey: string;
  /**
   * Called when the real answer arrives after `signal` had aborted the call, unless it says nothing (`unknown`). A
   * request that had left is waited for until `timeoutMs`, so a time-out beyond the abort catches more. Must not throw.
   */
  onLateAnswer?: (answer: ProviderAnswer<Value>) => void;
}

/** One request with the SDK; `settings` are its last argument. */
type Request<Answer> = (stripe: Stripe, settings: Stripe.RequestOptions) => Promise<Answer>;

export interface StripeClient {
  /**
   * Asks for an effect, under the call's provider key. Never rejects.
   * @param meanings what an error about a parameter means to this request, where Stripe gives it no code
   */
  act<Value, Answer extends ProviderAnswer<Value>>(
    call: EffectCall<Value>,
    request: Request<Answer>,
    meanings?: ParameterCodes,
  ): Promise<Answer | FailureAnswer>;
  /** Asks what is there. Never rejects. */
  look<Answer extends LookupAnswer<unknown> | HeldAnswer<unknown>>(
    call: LookupCall,
    request: Request<Answer>,
  ): Promise<Answer | UnknownLookup>;
}

export function createStripeClient(options: StripeOptions): StripeClient {
  const address = options.apiBase === undefined ? {} : parseApiBase(options.apiBase);
  const maxTimeoutMs = options.timeoutMs ?? Number.POSITIVE_INFINITY;

  let loaded: Stripe | undefined;
  function stripe(): Stripe {
    loaded ??= new (loadSdk())(options.secretKey, {
      ...address,
      maxNetworkRetries: 0,
      telemetry: false,
      httpClient: createHttpClient(),
    });
    return loaded;
  }

  async function ask<Answer>(
    call: LookupCall,
    request: Request<Answer>,
    settings: Stripe.RequestOptions,
  ): Promise<Answer> {
    const timeout = Math.max(1, Math.floor(Math.min(call.timeoutMs, maxTimeoutMs)));
    return withSignal(call.signal, () => request(stripe(), { ...settings, timeout }));
  }

  return {
    async act(call, request, meanings) {
      if (call.signal.aborted) return ABORTED_BEFORE;
      const answering = ask(call, request, { idempotencyKey: call.providerKey }).catch((error: unknown) =>
        answerFromError(error, meanings),
      );
      return untilAborted(answering, call.signal, (answer) => {
        if (answer.kind !== 'unknown') call.onLateAnswer?.(answer);
      });
    },
    async look(call, request) {
      if (call.signal.aborted) return ABORTED;
      const answering = ask(call, request, {}).catch((error: unknown) => unknownLookup(answerFromError(error)));
      return untilAborted(answering, call.signal, () => {});
    },
  };
}

const ABORTED = {
  kind: 'unknown',
  code: 'ABORTED',
  message: 'Stopped waiting for Stripe',
  trouble: 'unheard',
} as const;

/** The answer, or ABORTED as soon as the signal says so; then the answer goes to `late` when it comes. */
function untilAborted<Answer>(
  answering: Promise<Answer>,
  signal: AbortSignal,
  late: (answer: Answer) => void,
): Promise<Answer | typeof ABORTED> {
  return new Promise((resolve, reject) => {
    const abort = () => resolve(ABORTED);
    signal.addEventListener('abort', abort, { once: true });
    answering.then((answer) => {
      signal.removeEventListener('abort', abort);
      if (signal.aborted) late(answer);
      resolve(answer);
    }, reject);
  });
}

/**
 * On first use, since loading takes 0.1 s that a process without money jobs need not spend. `require`, because `import()`
 * would take the SDK's other build, whose types do not fit those that TypeScript shows a CommonJS file.
 */
export function loadSdk(): typeof Stripe {
  const sdk: typeof Stripe = require('stripe');
  return sdk;
}

function parseApiBase(apiBase: string): { protocol: 'http' | 'https'; host: string; port: number } {
  const url = new URL(apiBase);
  const protocol = url.protocol === 'http:' ? 'http' : 'https';
  if (url.origin === 'null' || `${url.origin}/` !== url.href || url.protocol !== `${protocol}:`) {
    throw new TypeError(`Stripe's apiBase must be http(s)://host:port without a path, not ${apiBase}`);
  }
  const port = url.port === '' ? (protocol === 'http' ? 80 : 443) : Number(url.port);
  // Node wants an IPv6 address without the brackets that a URL puts round it.
  return { protocol, host: url.hostname.replace(/^\[|\]$/g, ''), port };
}

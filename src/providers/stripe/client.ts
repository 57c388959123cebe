/** How every call goes to Stripe, whatever it asks for: with its own limits, once, and answered without an exception. */
import type Stripe from 'stripe';
import type { FailureAnswer, HeldAnswer, LookupAnswer, ProviderAnswer, UnknownLookup } from '../answer';
import { act, look, type EffectCall, type LookupCall } from '../calls';
import { answerFromError, type ParameterCodes } from './errors';
import { createHttpClient, withSignal } from './http-client';

export interface StripeOptions {
  secretKey: string;
  /** `http://host:port` or `https://host`, without a path; Stripe itself when absent. */
  apiBase?: string;
  /** No call takes longer than this, whatever its own `timeoutMs` says. */
  timeoutMs?: number;
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
    act: (call, request, meanings) =>
      act(call, 'Stripe', () =>
        ask(call, request, { idempotencyKey: call.providerKey }).catch((error: unknown) =>
          answerFromError(error, meanings),
        ),
      ),
    look: (call, request) => look(call, 'Stripe', () => ask(call, request, {}), answerFromError),
  };
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

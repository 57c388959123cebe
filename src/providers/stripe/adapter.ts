/**
 * Stripe: one charge is one PaymentIntent, created and confirmed in one request under the caller's provider key.
 *
 * Every method resolves with an answer and never rejects. A definite no (`declined`, `refused`) is about this call
 * alone: an earlier call with the same key that ended `unknown` may still have charged. IDEMPOTENCY_MISMATCH says that
 * one was made with other parameters, so it is no such no: only `findCharge` can tell what became of it.
 *
 * Process killed before the request left: nothing happened. Killed after it: Stripe may have charged, and the same key
 * within STRIPE_KEY_WINDOW_MS brings back that answer; later only `findCharge` can tell.
 */
import type Stripe from 'stripe';
import type { LookupAnswer, ProviderAnswer } from '../answer';
import { answerFromError } from './errors';
import { createHttpClient, withSignal } from './http-client';
import {
  chargeAnswer,
  lookupAnswer,
  parsePaymentIntent,
  parseSearchResult,
  UNREADABLE,
  type Charge,
} from './payment-intent';

export type { Charge } from './payment-intent';

const HOUR_MS = 60 * 60 * 1000;

/**
 * For this long after its first use a key certainly brings back the first answer; afterwards the same key may charge
 * again. "Idempotent requests" (docs.stripe.com/api/idempotent_requests): keys may be removed once they are at least
 * 24 hours old.
 */
export const STRIPE_KEY_WINDOW_MS = 24 * HOUR_MS;

/**
 * Only this long after the last possible effect does `absent` prove anything. "Search PaymentIntents"
 * (docs.stripe.com/api/payment_intents/search): searchable in less than a minute under normal conditions, up to an
 * hour behind during outages.
 */
export const STRIPE_SEARCH_LAG_MS = HOUR_MS;

export interface StripeOptions {
  secretKey: string;
  /** `http://host:port` or `https://host`, without a path; Stripe itself when absent. */
  apiBase?: string;
  /** No call takes longer than this, whatever its own `timeoutMs` says. */
  timeoutMs?: number;
}

export interface ChargeRequest {
  jobId: string;
  /** In minor units. */
  amount: number;
  currency: string;
  /** The id of a Stripe payment method, `pm_…`. */
  paymentMethod: string;
  /** Ids of the caller's that help a person in Stripe's dashboard; stored there for ever, so no personal data. */
  metadata: Record<string, string>;
}

export interface LookupCall {
  /** From the start of the call to the last byte of its answer. */
  timeoutMs: number;
  /** Aborting resolves the call at once as `unknown` and keeps back a request that has not left yet. */
  signal: AbortSignal;
}

export interface ChargeCall extends LookupCall {
  /** Sent as the idempotency key and kept in the metadata, where `findCharge` looks for it. */
  providerKey: string;
  /**
   * Called when the real answer arrives after `signal` had aborted the call, unless it says nothing (`unknown`). A
   * request that had left is waited for until `timeoutMs`, so a time-out beyond the abort catches more. Must not throw.
   */
  onLateAnswer?: (answer: ProviderAnswer<Charge>) => void;
}

export interface StripeAdapter {
  charge(request: ChargeRequest, call: ChargeCall): Promise<ProviderAnswer<Charge>>;
  /** Asks by search, which runs behind: see STRIPE_SEARCH_LAG_MS for when `absent` counts. The caller waits. */
  findCharge(providerKey: string, call: LookupCall): Promise<LookupAnswer<Charge>>;
}

export function createStripeAdapter(options: StripeOptions): StripeAdapter {
  const address = options.apiBase === undefined ? {} : parseApiBase(options.apiBase);
  const maxTimeoutMs = options.timeoutMs ?? Number.POSITIVE_INFINITY;
  const timeout = (call: LookupCall) => Math.max(1, Math.floor(Math.min(call.timeoutMs, maxTimeoutMs)));

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

  async function charge(request: ChargeRequest, call: ChargeCall): Promise<ProviderAnswer<Charge>> {
    try {
      const { paymentIntents } = stripe();
      const parameters: Stripe.PaymentIntentCreateParams = {
        amount: request.amount,
        currency: request.currency.toLowerCase(),
        payment_method: request.paymentMethod,
        confirm: true,
        // A job has no browser to send to another page: methods that need one are left out.
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
        metadata: { ...request.metadata, job_id: request.jobId, provider_key: call.providerKey },
      };
      const settings = { idempotencyKey: call.providerKey, timeout: timeout(call) };
      return chargeAnswer(await withSignal(call.signal, () => paymentIntents.create(parameters, settings)));
    } catch (error) {
      return answerFromError(error);
    }
  }

  async function findCharge(providerKey: string, call: LookupCall): Promise<LookupAnswer<Charge>> {
    try {
      const { paymentIntents } = stripe();
      const settings = { timeout: timeout(call) };
      const query = `metadata['provider_key']:'${providerKey.replace(/[\\']/g, '\\$&')}'`;
      const found = parseSearchResult(await withSignal(call.signal, () => paymentIntents.search({ query }, settings)));
      if (!found) return UNREADABLE;
      // The search ignores case, keys do not. Oldest first, whereas the search lists the newest first.
      const hits = found.filter((intent) => intent.metadata['provider_key'] === providerKey);
      let answer: LookupAnswer<Charge> = { kind: 'absent' };
      for (const hit of hits.toReversed().toSorted((one, other) => one.created - other.created)) {
        // The index may hold an earlier state of it; only success is final.
        const current =
          hit.status === 'succeeded'
            ? hit
            : parsePaymentIntent(await withSignal(call.signal, () => paymentIntents.retrieve(hit.id, {}, settings)));
        const state = current ? lookupAnswer(current) : UNREADABLE;
        if (state?.kind === 'done') return state;
        if (state) answer = state;
      }
      return answer;
    } catch (error) {
      const { code, message } = answerFromError(error);
      return { kind: 'unknown', code, message };
    }
  }

  return {
    async charge(request, call) {
      if (call.signal.aborted) return ABORTED_BEFORE;
      return untilAborted(charge(request, call), call.signal, (answer) => {
        if (answer.kind !== 'unknown') call.onLateAnswer?.(answer);
      });
    },
    async findCharge(providerKey, call) {
      if (call.signal.aborted) return ABORTED;
      return untilAborted(findCharge(providerKey, call), call.signal, () => {});
    },
  };
}

const ABORTED = { kind: 'unknown', code: 'ABORTED', message: 'Stopped waiting for Stripe' } as const;
const ABORTED_BEFORE = { kind: 'refused', code: 'ABORTED', message: 'Stopped before anything was sent' } as const;

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
function loadSdk(): typeof Stripe {
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

/** What a test needs to move money through the adapter, with everything that does not matter filled in. */
import type {
  Charge,
  ChargeRequest,
  EffectCall,
  PayoutRequest,
  RefundRequest,
  TransferRequest,
} from '../../../../src/providers/stripe/adapter';

export type ChargeCall = EffectCall<Charge>;

export const SECRET_KEY = 'sk_test_sandbox';

export function chargeRequest(changes: Partial<ChargeRequest> = {}): ChargeRequest {
  return { jobId: 'job-1', amount: 5000, currency: 'USD', paymentMethod: 'pm_card_visa', metadata: {}, ...changes };
}

export function refundRequest(paymentIntentId: string, changes: Partial<RefundRequest> = {}): RefundRequest {
  return {
    jobId: 'job-2',
    paymentIntentId,
    amount: 5000,
    currency: 'USD',
    reason: undefined,
    metadata: {},
    ...changes,
  };
}

export function transferRequest(changes: Partial<TransferRequest> = {}): TransferRequest {
  return { jobId: 'job-3', amount: 5000, currency: 'USD', accountId: 'acct_venue', metadata: {}, ...changes };
}

export function payoutRequest(changes: Partial<PayoutRequest> = {}): PayoutRequest {
  const standard = { destination: 'ba_venue', method: 'standard' } as const;
  return { ...transferRequest(), ...standard, ...changes };
}

/** A signal of its own for each call, never aborted unless the test brings one. */
export function effectCall<Value = Charge>(
  providerKey: string,
  changes: Partial<EffectCall<Value>> = {},
): EffectCall<Value> {
  return { providerKey, timeoutMs: 5000, signal: new AbortController().signal, ...changes };
}

/** A request made without the adapter, as another client of Stripe would make it. */
export async function post(
  url: string,
  path: string,
  form: Record<string, string>,
  key?: string,
  more: Record<string, string> = {},
) {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${SECRET_KEY}`,
      'content-type': 'application/x-www-form-urlencoded',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...more,
    },
    body: new URLSearchParams(form),
  });
  const body: unknown = await response.json();
  return { status: response.status, body, headers: response.headers };
}

/** What a test needs to move money through the adapter, with everything that does not matter filled in. */
import type { SquareChargeRequest } from '../../../../src/providers/square/adapter';

export const ACCESS_TOKEN = 'EAAA-sandbox';

/** What a service needs to pay here, with nothing in its way. */
export function squareVariables(url: string): Record<string, string> {
  return { SQUARE_ACCESS_TOKEN: ACCESS_TOKEN, SQUARE_API_BASE: url, RATE_LIMIT_SQUARE: '10000' };
}

export function chargeRequest(changes: Partial<SquareChargeRequest> = {}): SquareChargeRequest {
  return { amount: 5000, currency: 'USD', paymentMethod: 'cnon:card-nonce-ok', ...changes };
}

/** A request made without the adapter, as another client of Square would make it. */
export async function post(url: string, path: string, body: unknown) {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ACCESS_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer: unknown = await response.json();
  return { status: response.status, body: answer };
}

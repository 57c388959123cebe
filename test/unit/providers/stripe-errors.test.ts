/** Each error of the SDK, and the one answer it is mapped to. */
import Stripe from 'stripe';
import { parseRetryAfter } from '../../../src/providers/retry-after';
import { answerFromError } from '../../../src/providers/stripe/errors';
import { TransportFailure } from '../../../src/providers/exchange';

interface RawError {
  statusCode: number;
  type?: string;
  code?: string;
  decline_code?: string;
  param?: string;
  headers?: Record<string, string>;
}

/** The error that the SDK itself makes of an answer. */
function sdkError(raw: RawError): unknown {
  const message = 'No such customer: jane@example.com, card 4242 4242 4242 4242';
  // The SDK types the raw error with every field required, yet Stripe sends each only where it applies.
  const complete = { type: 'invalid_request_error', requestId: 'req_1', message, ...raw } as unknown;
  return Stripe.errors.StripeError.generate(complete as Parameters<typeof Stripe.errors.StripeError.generate>[0]);
}

const connectionError = (detail: Error) =>
  new Stripe.errors.StripeConnectionError({ type: 'api_error', message: 'failed', detail });

describe('what an answer of Stripe means', () => {
  it.each<[string, RawError, object]>([
    [
      'a decline with its reason',
      { statusCode: 402, type: 'card_error', code: 'card_declined', decline_code: 'insufficient_funds' },
      { kind: 'declined', code: 'insufficient_funds', aboutKey: true },
    ],
    [
      'a decline without a reason',
      { statusCode: 402, type: 'card_error', code: 'expired_card' },
      { kind: 'declined', code: 'expired_card', aboutKey: true },
    ],
    [
      'a decline without any code',
      { statusCode: 402, type: 'card_error' },
      { kind: 'declined', code: 'card_error', aboutKey: true },
    ],
    [
      'a card error with status 400',
      { statusCode: 400, type: 'card_error', code: 'incorrect_cvc' },
      { kind: 'declined', code: 'incorrect_cvc', aboutKey: true },
    ],
    [
      '402 that is no card error',
      { statusCode: 402, code: 'payment_intent_incompatible' },
      { kind: 'declined', code: 'INVALID_REQUEST' },
    ],
    [
      '400 with a parameter',
      { statusCode: 400, code: 'parameter_missing', param: 'amount' },
      { kind: 'declined', code: 'INVALID_REQUEST' },
    ],
    ['404', { statusCode: 404, code: 'resource_missing' }, { kind: 'declined', code: 'INVALID_REQUEST' }],
    [
      'another request under the key',
      { statusCode: 400, type: 'idempotency_error' },
      { kind: 'unknown', code: 'IDEMPOTENCY_MISMATCH', replayed: true },
    ],
    ['400 for a fault of Stripe', { statusCode: 400, type: 'api_error' }, { kind: 'unknown', code: 'HTTP_400' }],
    ['401', { statusCode: 401 }, { kind: 'refused', code: 'AUTHENTICATION' }],
    ['403', { statusCode: 403 }, { kind: 'refused', code: 'PERMISSION' }],
    [
      'a key in use',
      { statusCode: 409, type: 'idempotency_error', code: 'idempotency_key_in_use' },
      { kind: 'unknown', code: 'KEY_IN_USE' },
    ],
    ['a lock, as 409', { statusCode: 409, code: 'lock_timeout' }, { kind: 'unknown', code: 'LOCK_TIMEOUT' }],
    ['a lock, as 429', { statusCode: 429, code: 'lock_timeout' }, { kind: 'unknown', code: 'LOCK_TIMEOUT' }],
    ['another 409', { statusCode: 409 }, { kind: 'unknown', code: 'HTTP_409' }],
    ['424, a fault behind Stripe', { statusCode: 424 }, { kind: 'unknown', code: 'HTTP_424' }],
    ['429', { statusCode: 429, code: 'rate_limit' }, { kind: 'refused', code: 'RATE_LIMITED', trouble: 'busy' }],
    ['429 without a code', { statusCode: 429 }, { kind: 'refused', code: 'RATE_LIMITED', trouble: 'busy' }],
    [
      'a rate limit as 400',
      { statusCode: 400, code: 'rate_limit' },
      { kind: 'refused', code: 'RATE_LIMITED', trouble: 'busy' },
    ],
    ['500', { statusCode: 500, type: 'api_error' }, { kind: 'unknown', code: 'SERVER_ERROR', trouble: 'down' }],
    ['503', { statusCode: 503, type: 'api_error' }, { kind: 'unknown', code: 'SERVER_ERROR', trouble: 'down' }],
    ['an error with status 200', { statusCode: 200, type: 'api_error' }, { kind: 'unknown', code: 'HTTP_200' }],
  ])('%s', (_, raw, expected) => {
    expect(answerFromError(sdkError(raw))).toEqual({
      ...expected,
      message: expect.stringMatching(new RegExp(`^Stripe .*\\(status ${raw.statusCode}, request req_1\\)$`)),
    });
  });

  it('names the declined PaymentIntent', () => {
    const raw = { statusCode: 402, type: 'card_error', code: 'card_declined', payment_intent: { id: 'pi_1' } };

    expect(answerFromError(sdkError(raw))).toMatchObject({ kind: 'declined', reference: 'pi_1' });
  });

  it('marks only a repeated 5xx as replayed', () => {
    const headers = { 'idempotent-replayed': 'true' };

    expect(answerFromError(sdkError({ statusCode: 500, type: 'api_error', headers }))).toHaveProperty('replayed', true);
    expect(answerFromError(sdkError({ statusCode: 500, type: 'api_error', headers: {} }))).not.toHaveProperty(
      'replayed',
    );
    expect(answerFromError(sdkError({ statusCode: 402, type: 'card_error', headers }))).not.toHaveProperty('replayed');
  });

  it('takes a repeated 5xx for no sign that Stripe is down now', () => {
    const headers = { 'idempotent-replayed': 'true' };

    expect(answerFromError(sdkError({ statusCode: 500, type: 'api_error', headers }))).not.toHaveProperty('trouble');
  });

  it('passes Retry-After on', () => {
    const limited = (value: string) =>
      answerFromError(sdkError({ statusCode: 429, headers: { 'retry-after': value } }));

    expect(limited('3')).toMatchObject({ kind: 'refused', retryAfterMs: 3000 });
    expect(limited('soon')).not.toHaveProperty('retryAfterMs');
  });
});

describe('what no answer means', () => {
  it.each([
    ['ECONNREFUSED', false, 'refused'],
    ['ENOTFOUND', false, 'refused'],
    ['EAI_AGAIN', false, 'refused'],
    ['TIMEOUT', false, 'refused'],
    ['ECONNRESET', true, 'unknown'],
    ['EPIPE', true, 'unknown'],
    ['TIMEOUT', true, 'unknown'],
  ])('%s, sent: %s, is %s', (reason, sent, kind) => {
    const answer = answerFromError(connectionError(new TransportFailure(reason, sent)));

    expect(answer).toEqual({ kind, code: reason, message: expect.stringContaining(reason), trouble: 'down' });
  });

  it('is unknown when the connection error says no more', () => {
    expect(answerFromError(connectionError(new Error('ECONNREFUSED')))).toMatchObject({
      kind: 'unknown',
      code: 'UNREADABLE_ANSWER',
    });
  });

  it.each([[new TypeError('jane@example.com')], ['jane@example.com'], [undefined], [{ type: 7 }]])(
    'is unknown when %p is thrown, without its text',
    (thrown) => {
      const answer = answerFromError(thrown);

      expect(answer).toMatchObject({ kind: 'unknown', code: 'UNEXPECTED_ERROR' });
      expect(answer.message).not.toContain('jane');
    },
  );
});

describe('messages', () => {
  it('hold codes and parameter names only, whatever Stripe wrote', () => {
    const free = 'jane@example.com pays with 4242 4242';
    const answers = [
      answerFromError(sdkError({ statusCode: 400, code: free, param: free })),
      answerFromError(sdkError({ statusCode: 402, type: 'card_error', code: free, decline_code: free })),
      answerFromError(sdkError({ statusCode: 500, type: 'api_error', code: free })),
      answerFromError(connectionError(new TransportFailure(free, true))),
    ];

    expect(answers.map(({ code }) => code)).toEqual([
      'INVALID_REQUEST',
      'card_error',
      'SERVER_ERROR',
      'CONNECTION_FAILED',
    ]);
    expect(JSON.stringify(answers)).not.toMatch(/jane|4242/);
  });
});

describe('Retry-After', () => {
  const now = Date.UTC(2026, 0, 1);

  it.each([
    ['5', 5000],
    ['0', 0],
    [' 12 ', 12_000],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
    ['', undefined],
    ['-5 seconds', undefined],
    ['later', undefined],
    [undefined, undefined],
    [5, undefined],
  ])('%p is %p ms', (header, milliseconds) => {
    expect(parseRetryAfter(header, now)).toBe(milliseconds);
  });
});

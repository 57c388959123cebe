/** A deployment that has no account at Stripe. */
import { addressOf, ApiClient } from '../../support/api-client';
import { openHarness, type Harness } from '../../support/harness';
import { payment } from '../../support/harness/payloads';
import { TokenIssuer } from '../../support/tokens';

let harness: Harness;
const issuer = new TokenIssuer();

beforeAll(async () => {
  harness = await openHarness();
});
afterAll(() => harness?.close());

it('refuses what only Stripe could do, and says so to those who ask and to operators', async () => {
  const variables = { STRIPE_SECRET_KEY: '', JWT_PUBLIC_KEY: issuer.publicKey };
  const api = new ApiClient(addressOf(await harness.startService({}, undefined, variables)));
  const reason = 'STRIPE_SECRET_KEY is not set';

  const id = await harness.bus.request({ type: 'payment-process', data: payment() });
  const { data: outcome } = await harness.bus.outcomeOf(id, 'rejected');
  expect(outcome.error).toMatchObject({ code: 'TYPE_UNAVAILABLE', details: [{ path: 'data.type', message: reason }] });

  const { body } = await api.get('/health/details', { token: issuer.token('admin') });
  expect(body).toMatchObject({
    status: 'healthy',
    unavailable: { 'payment-process:stripe': reason, 'refund-process:stripe': reason, 'payout-process': reason },
  });
});

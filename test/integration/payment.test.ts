import { openHarness, order, payment, type Harness } from '../support/harness';

describe('a payment', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await openHarness();
    await harness.startService();
  });
  afterAll(() => harness?.close());

  it('goes from order.placed to one charge and one outcome', async () => {
    const placed = order({ amount: 12_345 });
    const id = await harness.bus.event('order.placed', placed);
    const outcome = await harness.bus.outcomeOf(id);
    expect(outcome.routingKey).toBe('money.payment-process.completed');
    expect(outcome.data).toMatchObject({ outcome: 'completed', generation: 1, sequence: 1, attempts: 1, error: null });
    expect(outcome.data.result).toMatchObject({
      transactionId: outcome.data.jobId,
      amount: 12_345,
      currency: 'USD',
      status: 'completed',
    });
    expect(harness.stripe.ledger()).toMatchObject([{ amount: 12_345 }]);
  });

  it.each([
    ['ISK', 500, 50_000],
    ['MGA', 50_000, 500],
    ['KWD', 5_120, 5_120],
  ])(
    'in %s takes exactly what was asked for, and gives it back, whatever Stripe counts in',
    async (currency, amount, stripes) => {
      const data = payment({ currency, amount });
      const { data: paid } = await harness.bus.outcomeOf(await harness.bus.request({ type: 'payment-process', data }));
      expect(paid).toMatchObject({ outcome: 'completed', result: { amount, currency } });
      const charge = harness.stripe.ledger().find(({ metadata }) => metadata['job_id'] === paid.jobId);
      expect(charge).toMatchObject({ amount: stripes, currency: currency.toLowerCase() });

      const { userId, venueId } = data;
      const refund = { transactionId: paid.jobId, userId, venueId, amount, reason: 'requested_by_customer' };
      const id = await harness.bus.request({ type: 'refund-process', data: refund });
      expect((await harness.bus.outcomeOf(id)).data).toMatchObject({
        outcome: 'completed',
        result: { amount, currency },
      });
    },
  );

  it('of what Stripe cannot take exactly fails for good, and nothing is charged', async () => {
    const data = payment({ currency: 'KWD', amount: 5_124 });
    const { data: failure } = await harness.bus.outcomeOf(await harness.bus.request({ type: 'payment-process', data }));
    expect(failure).toMatchObject({ outcome: 'failed', error: { code: 'AMOUNT_NOT_PAYABLE', replayable: false } });
    expect(harness.stripe.ledger().filter(({ metadata }) => metadata['job_id'] === failure.jobId)).toEqual([]);
  });
});

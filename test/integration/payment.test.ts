import { openHarness, order, type Harness } from '../support/harness';

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
});

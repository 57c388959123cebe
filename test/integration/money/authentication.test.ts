/** Payments that the customer must authenticate (3-D Secure): told of, waited for, and ended one way or the other. */
import { randomUUID } from 'node:crypto';
import { eventually, openHarness, payment, type Harness } from '../../support/harness';
import { MoneyRows, quick } from '../../support/money';

let harness: Harness;
let rows: MoneyRows;

beforeAll(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
  await harness.startService({}, quick);
});
afterAll(() => harness?.close());
afterEach(() => harness.stripe.clearFaults());

const request = () => ({
  type: 'payment-process',
  data: payment({ paymentMethod: 'pm_card_authenticationRequired' }),
  idempotencyKey: randomUUID(),
});
const chargesOf = (jobId: string | null) =>
  harness.stripe.ledger().filter(({ metadata }) => metadata['job_id'] === jobId);

/** Asks for a payment, and waits until its requester was told to whom the customer must turn. */
async function held(asked = request()) {
  const id = await harness.bus.request(asked);
  const { data } = await harness.bus.outcomeOf(id, 'attention');
  const reference = data.error?.details?.find(({ path }) => path === 'reference')?.message ?? '';
  return { id, asked, data, reference };
}

it('is told of without a secret, with the id by which the next step is found, and the key stays held', async () => {
  const { id, asked, data, reference } = await held();

  expect(data).toMatchObject({
    sequence: 1,
    attempts: 1,
    result: null,
    finishedAt: null,
    error: { code: 'requires_action', replayable: false },
  });
  expect(reference).toMatch(/^pi_/);
  expect(JSON.stringify(harness.bus.outcomesOf(id))).not.toMatch(/secret/i);
  const job = await rows.until('it waits', id, ({ status }) => status === 'pending');
  expect(job).toMatchObject({ held: true, attempts: 1 });
  expect(await rows.effects(job.id)).toMatchObject([{ state: 'in_doubt', reference }]);
  const again = await harness.bus.outcomeOf(await harness.bus.request(asked), 'duplicate');
  expect(again.data).toMatchObject({ jobId: job.id, result: null });
});

it('is completed when the customer has authenticated it: one charge, and followers are told', async () => {
  const { id, asked, data, reference } = await held();
  const follower = await harness.bus.request(asked);
  await harness.bus.outcomeOf(follower, 'duplicate');
  await rows.until('it was looked at once', id, ({ reason }) => reason === 'AWAITING_CUSTOMER');
  harness.stripe.authenticate(reference, true);

  const { data: completed } = await harness.bus.outcomeOf(id, 'completed');
  expect(completed).toMatchObject({ jobId: data.jobId, sequence: 2, result: { paymentIntentId: reference } });
  expect(chargesOf(data.jobId)).toHaveLength(1);
  expect(harness.bus.outcomesOf(id).map((outcome) => outcome.data.outcome)).toEqual(['attention', 'completed']);
  await eventually('the follower has the result', () =>
    harness.bus.outcomesOf(follower).some(({ data: told }) => told.result !== null),
  );
});

it('fails when the authentication failed: nothing is charged, and the key is free', async () => {
  const { id, asked, data, reference } = await held();
  harness.stripe.authenticate(reference, false);

  const { data: failed } = await harness.bus.outcomeOf(id, 'failed');
  expect(failed).toMatchObject({
    sequence: 2,
    error: { code: 'payment_intent_authentication_failure', replayable: true },
  });
  expect(chargesOf(data.jobId)).toEqual([]);
  // Another card under the same key is another payment.
  const other = { ...asked, data: { ...asked.data, paymentMethod: 'pm_card_visa' } };
  await harness.bus.outcomeOf(await harness.bus.request(other), 'completed');
});

it('fails when the customer does not come in an hour, and cannot be charged any more', async () => {
  const { id, data, reference } = await held();
  await rows.age(data.jobId ?? '', 1);

  const { data: failed } = await harness.bus.outcomeOf(id, 'failed');
  expect(failed.error).toMatchObject({ code: 'AUTHENTICATION_EXPIRED', replayable: true });
  expect(() => harness.stripe.authenticate(reference, true)).toThrow('canceled');
  expect(chargesOf(data.jobId)).toEqual([]);
});

it('whose first answer was lost is told of all the same, once', async () => {
  harness.stripe.fault({ kind: 'lose-answer' });
  const { id, reference } = await held();
  harness.stripe.authenticate(reference, true);

  await harness.bus.outcomeOf(id, 'completed');
  expect(harness.bus.outcomesOf(id).map(({ data }) => data.outcome)).toEqual(['attention', 'completed']);
});

import type { Handler } from '../../../src/handlers/handler';
import { done, failed } from '../../../src/handlers/outcome';
import { paymentProcessHandler } from '../../../src/handlers/payment-process';
import { createStripeAdapter } from '../../../src/providers/stripe/adapter';
import type { Service } from '../../../src/service';
import { eventually, openHarness, payment, type Harness } from '../../support/harness';
import { MoneyRows, quick } from '../../support/money';

let harness: Harness;
let rows: MoneyRows;
let service: Service;
/** While true, payments are refused before they ask for anything. */
let closed = false;

beforeAll(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
  const stripe = createStripeAdapter({ secretKey: 'sk_test_local', apiBase: harness.stripe.url });
  const [, pay] = paymentProcessHandler({ stripe, square: undefined });
  const handler: Handler = async (payload, context) => {
    if (closed) return failed('CLOSED', 'the till is closed', { replayable: true });
    return pay(payload, context);
  };
  const canary: Handler = () => Promise.resolve(done({ n: 1 }));
  service = await harness.startService(
    {
      handlers: new Map([
        ['payment-process', handler],
        ['canary-money', canary],
      ]),
    },
    quick,
  );
});
afterAll(() => harness?.close());
afterEach(() => {
  closed = false;
});

const charges = (jobId: string) => harness.stripe.ledger().filter((one) => one.metadata['job_id'] === jobId);

async function failOnce(over: Record<string, unknown> = {}, idempotencyKey?: string) {
  closed = over['paymentMethod'] === undefined;
  const request = { type: 'payment-process', data: payment(over), ...(idempotencyKey ? { idempotencyKey } : {}) };
  const id = await harness.bus.request(request);
  const { data } = await harness.bus.outcomeOf(id, 'failed');
  closed = false;
  return { id, request, jobId: data.jobId ?? '' };
}

describe('a replay', () => {
  it('gives a failed job a second generation, which completes with an outcome of its own', async () => {
    const { id, jobId } = await failOnce();

    expect(await service.replayJob(jobId, 'OPERATOR')).toEqual({ kind: 'replayed', generation: 2 });

    const { data, id: messageId } = await harness.bus.outcomeOf(id, 'completed');
    expect(data).toMatchObject({ jobId, generation: 2, sequence: 2, attempts: 1, error: null });
    expect(messageId).not.toBe(harness.bus.outcomesOf(id, 'failed')[0]?.id);
    expect(charges(jobId)).toHaveLength(1);
    expect(await rows.find(id)).toMatchObject({ status: 'completed', generation: 2, held: true, sequence: 2 });
    expect(await rows.moves(jobId)).toEqual([
      'pending → processing',
      'processing → failed (CLOSED)',
      'failed → pending (OPERATOR)',
      'pending → processing',
      'processing → completed (DONE)',
    ]);
    expect(await rows.outcomes(jobId)).toEqual(['failed', 'completed']);
  });

  it('asked for twice at the same moment happens once', async () => {
    const { id, jobId } = await failOnce();
    const answers = await Promise.all([1, 2, 3].map(() => service.replayJob(jobId, 'OPERATOR')));
    expect(answers.filter(({ kind }) => kind === 'replayed')).toHaveLength(1);
    expect(answers.filter(({ kind }) => kind === 'notFailed')).toHaveLength(2);
    expect((await harness.bus.outcomeOf(id, 'completed')).data.generation).toBe(2);
    expect(charges(jobId)).toHaveLength(1);
  });

  it('after a decline asks under another key, so that the stored decline is not what it gets', async () => {
    const { id, jobId } = await failOnce({ paymentMethod: 'pm_card_chargeDeclined' });
    expect(await service.replayJob(jobId, 'OPERATOR')).toEqual({ kind: 'replayed', generation: 2 });
    await eventually('the second generation fails too', () => harness.bus.outcomesOf(id, 'failed').length === 2);
    // Asked for once each, under two keys: the second decline is the bank's, not a stored one.
    expect(await rows.effects(jobId)).toMatchObject([
      { number: 1, state: 'absent', calls: 1 },
      { number: 2, state: 'absent', calls: 1 },
    ]);
    expect((await rows.deadLetters(jobId)).map(({ kind }) => kind)).toEqual(['gave_up', 'gave_up']);
    const sequences = harness.bus.outcomesOf(id, 'failed').map(({ data }) => [data.generation, data.sequence]);
    expect(sequences).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it('is superseded when a later job holds the key', async () => {
    const { id, request, jobId } = await failOnce({}, 'replay-superseded');
    const later = await harness.bus.outcomeOf(await harness.bus.request(request), 'completed');
    expect(later.data.jobId).not.toBe(jobId);

    expect(await service.replayJob(jobId, 'OPERATOR')).toEqual({ kind: 'superseded' });

    expect(await rows.find(id)).toMatchObject({ status: 'failed', generation: 1 });
    expect(charges(jobId)).toEqual([]);
  });

  it('is not for jobs that have not failed, or are not there', async () => {
    const id = await harness.bus.request({ type: 'canary-money', data: { n: 1 } });
    const { data } = await harness.bus.outcomeOf(id);
    expect(await service.replayJob(data.jobId ?? '', 'OPERATOR')).toEqual({ kind: 'notFailed', status: 'completed' });
    expect(await service.replayJob('01933f6e-0000-7000-8000-000000000000', 'X')).toEqual({ kind: 'notFound' });
  });

  it('answers the same request, asked meanwhile, with the generation that runs', async () => {
    const { request, jobId } = await failOnce({}, 'replay-followed');
    await service.replayJob(jobId, 'OPERATOR');
    const follower = await harness.bus.request(request);
    const told = await eventually('the follower has the result', () =>
      harness.bus.outcomesOf(follower, 'duplicate').find(({ data }) => data.result !== null),
    );
    expect(told.data).toMatchObject({ jobId, generation: 2 });
    expect(charges(jobId)).toHaveLength(1);
  });
});

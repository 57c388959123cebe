import { Queue } from 'bullmq';
import { eventually, openHarness, payment, type Harness } from '../support/harness';
import { MoneyRows, quick } from '../support/money';
import { ServiceProcess } from '../support/service-process';

/** Long enough for a second process to start and to take the job over. */
const BLOCK_MS = 15_000;
const LIMIT_MS = 120_000;

let harness: Harness;
const processes: ServiceProcess[] = [];

beforeEach(async () => {
  harness = await openHarness();
});
afterEach(async () => {
  await Promise.all(processes.splice(0).map((one) => one.end()));
  await harness?.close();
});

function start(program: string, over: Record<string, string>): ServiceProcess {
  const started = new ServiceProcess(program, { ...harness.environment.variables, ...over });
  processes.push(started);
  return started;
}

it(
  'pain 1: bare BullMQ runs a job twice whose worker stood still, and charges twice',
  async () => {
    const { REDIS_MONEY_URL: url = '', QUEUE_PREFIX: prefix = '' } = harness.environment.variables;
    const queue = new Queue('bare-payments', { connection: { url }, prefix });
    try {
      await queue.add('payment', { amount: 10_000 });
      start('test/support/pains/bare-worker.ts', { BLOCK_MS: String(BLOCK_MS) });
      await eventually('the first worker has charged', () => harness.stripe.ledger().length === 1);
      start('test/support/pains/bare-worker.ts', {});
      await eventually('the second worker has charged again', () => harness.stripe.ledger().length === 2);
    } finally {
      await queue.close();
    }
  },
  LIMIT_MS,
);

it(
  'pain 1: ours runs it again under the same key: one charge, one outcome',
  async () => {
    const rows = new MoneyRows(harness.environment.pool);
    await harness.startService({}, quick, { ROLES: 'consumer,relay,scheduler' });
    const trouble = JSON.stringify({ afterCharge: 'block', blockMs: BLOCK_MS });
    const blocked = start('test/support/pains/troubled-worker.ts', { TROUBLE: trouble });
    const id = await harness.bus.request({ type: 'payment-process', data: payment() });
    await eventually('the first worker has charged', () => harness.stripe.ledger().length === 1);
    start('test/support/pains/troubled-worker.ts', {});

    const { data } = await harness.bus.outcomeOf(id);
    expect(data).toMatchObject({ outcome: 'completed', attempts: 1, sequence: 1 });
    expect(blocked.output).not.toContain('goes on');
    // It wakes up, settles what it still believes to be its own, and changes nothing.
    await eventually('the first worker has settled', () => blocked.output.includes('settled'));

    expect(harness.stripe.ledger()).toMatchObject([{ calls: 2, metadata: { job_id: data.jobId } }]);
    expect(await rows.find(id)).toMatchObject({ status: 'completed', starts: 2, finishes: 2, sequence: 1 });
    expect(await rows.moves(data.jobId ?? '')).toEqual([
      'pending → processing',
      'processing → processing',
      'processing → completed (DONE)',
    ]);
    expect(await rows.outcomes(data.jobId ?? '')).toEqual(['completed']);
    expect(harness.bus.outcomesOf(id)).toHaveLength(1);
  },
  LIMIT_MS,
);

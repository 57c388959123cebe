import path from 'node:path';
import type { Service } from '../../../src/service';
import { Doubts, happened } from '../../support/doubt';
import { openHarness, payment, type Harness } from '../../support/harness';
import { MoneyRows, quick } from '../../support/money';
import { NodeProcess } from '../../support/service-process';

const ROOT = path.join(__dirname, '../../..');

let harness: Harness;
let rows: MoneyRows;
let doubts: Doubts;
let service: Service;

beforeAll(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
  doubts = new Doubts(harness, rows);
  service = await harness.startService({}, quick);
});
afterAll(() => harness?.close());
afterEach(() => harness.stripe.clearFaults());

/** Behind a job of the key; it starts only when that has ended. */
async function nextOf(orderingKey: string): Promise<string> {
  const id = await harness.bus.request({ type: 'payment-process', data: payment(), options: { orderingKey } });
  await rows.until('the next is a job', id, () => true);
  return id;
}

async function placeOf(requestId: string): Promise<unknown> {
  const { rows: found } = await harness.environment.pool.query(
    'SELECT status, starts, waiting_rank IS NOT NULL AS waits FROM critical_jobs WHERE request_id = $1',
    [requestId],
  );
  return found[0];
}
const WAITS = { status: 'pending', starts: 0, waits: true };

describe('a line waits', () => {
  it('while its first job is in doubt, until somebody has settled it as happened', async () => {
    const { jobId, requestId } = await doubts.make('charged', 'over', { orderingKey: 'line-1' });
    const next = await nextOf('line-1');
    expect(await placeOf(next)).toEqual(WAITS);
    expect(await service.settleDoubt(jobId, happened(doubts.found(jobId)))).toEqual({ kind: 'goesOn' });
    await harness.bus.outcomeOf(requestId, 'completed');
    await harness.bus.outcomeOf(next, 'completed');
  });

  it('while its first job is in doubt, until somebody has ended it', async () => {
    const { jobId, requestId } = await doubts.make('not charged', 'over', { orderingKey: 'line-2' });
    const next = await nextOf('line-2');
    expect(await placeOf(next)).toEqual(WAITS);
    const told = ['--not-happened', '--fail', '--by', 'op-7', '--reason', 'nothing in the dashboard'];
    const command = new NodeProcess(
      ['--require', 'tsx/cjs', 'src/settle.ts', jobId, ...told],
      ROOT,
      harness.environment.variables,
    );
    expect({ code: await command.exited, output: command.output }).toMatchObject({ code: 0 });
    await harness.bus.outcomeOf(requestId, 'failed');
    await harness.bus.outcomeOf(next, 'completed');
  });

  it('while the customer of its first job has to act', async () => {
    const options = { orderingKey: 'line-3' };
    const data = payment({ paymentMethod: 'pm_card_authenticationRequired' });
    const first = await harness.bus.request({ type: 'payment-process', data, options });
    const { data: told } = await harness.bus.outcomeOf(first, 'attention');
    const next = await nextOf('line-3');
    expect(await placeOf(next)).toEqual(WAITS);
    const reference = told.error?.details?.find(({ path: at }) => at === 'reference')?.message ?? '';
    harness.stripe.authenticate(reference, true);
    await harness.bus.outcomeOf(first, 'completed');
    await harness.bus.outcomeOf(next, 'completed');
  });
});

import path from 'node:path';
import { Doubts } from '../../support/doubt';
import { openHarness, type Harness } from '../../support/harness';
import { MoneyRows, quick } from '../../support/money';
import { NodeProcess } from '../../support/service-process';

const ROOT = path.join(__dirname, '../../..');
const SIGNED = ['--by', 'op-7', '--reason', 'seen in the dashboard'];

let harness: Harness;
let rows: MoneyRows;
let doubts: Doubts;

beforeAll(async () => {
  harness = await openHarness();
  rows = new MoneyRows(harness.environment.pool);
  doubts = new Doubts(harness, rows);
  await harness.startService({}, quick);
});
afterAll(() => harness?.close());
afterEach(() => harness.stripe.clearFaults());

/** Runs the command as an operator does, in the environment of the service. */
async function settle(
  args: string[],
  variables = harness.environment.variables,
): Promise<{ code: unknown; output: string }> {
  const command = new NodeProcess(['--require', 'tsx/cjs', 'src/settle.ts', ...args], ROOT, variables);
  return { code: await command.exited, output: command.output };
}

describe('the command that settles a job in doubt', () => {
  it('shows what is known and what is to be told, then takes it, and refuses to be told again', async () => {
    const { requestId, jobId, data: payload } = await doubts.make('charged');
    const { reference, value } = doubts.found(jobId);

    const shown = await settle([jobId]);
    expect(shown.code).toBe(0);
    expect(shown.output).toContain(`job ${jobId}: payment-process, in_doubt (ECONNRESET), generation 1`);
    expect(shown.output).toContain(`effect charge 1: started; provider_key ${jobId}:charge:1; reference unknown`);
    expect(shown.output).toContain(`--happened <paymentIntentId> --value '{"chargeId": …}'`);
    for (const field of ['userId', 'paymentMethod']) expect(shown.output).not.toContain(payload[field]);

    const told = ['--happened', reference, '--value', JSON.stringify(value), ...SIGNED];
    expect(await settle([jobId, ...told])).toEqual({
      code: 0,
      output: 'settled: the job goes on, and ends with an outcome of its own\n',
    });
    const { data } = await harness.bus.outcomeOf(requestId, 'completed');
    expect(data.result).toMatchObject({ paymentIntentId: reference, ...value });
    expect(doubts.charges(jobId)).toHaveLength(1);

    const again = await settle([jobId, '--not-happened', '--fail', ...SIGNED]);
    expect(again.code).toBe(2);
    expect(again.output).toMatch(/^refused: the job is not in doubt but completed/);
    const after = await settle([jobId]);
    expect(after.output).toMatch(/decided \S+ in generation 1: charge happened \(pi_\w+\), retry/);
    expect(after.output).not.toContain('op-7');
  });

  it('shows what is to be told of what happened and cannot be read, and takes it', async () => {
    const { requestId, jobId } = await doubts.makeUnreadable(null);
    const { reference, value } = doubts.found(jobId);
    const { output } = await settle([jobId]);
    expect(output).toContain(`effect charge 1: done`);
    expect(output).toContain('the job cannot read what is recorded of it');
    expect(output).toContain(`--happened <paymentIntentId> --value '{"chargeId": …}'`);
    expect(output).not.toContain('No effect of it is uncertain');

    const told = ['--happened', reference, '--value', JSON.stringify(value), ...SIGNED];
    expect((await settle([jobId, ...told])).code).toBe(0);
    await harness.bus.outcomeOf(requestId, 'completed');
  });

  it('ends a job of which nothing happened, and its outcome goes out', async () => {
    const { requestId, jobId } = await doubts.make('not charged');
    expect(await settle([jobId, '--not-happened', '--fail', ...SIGNED])).toEqual({
      code: 0,
      output: 'settled: the job ended as failed; its key is free\n',
    });
    await harness.bus.outcomeOf(requestId, 'failed');
    expect(await rows.find(requestId)).toMatchObject({ status: 'failed', held: false });
  });

  it('tells wrong calls, a wrong environment and a database that is away apart', async () => {
    const nobody = '01933f6e-0000-7000-8000-000000000000';
    expect(await settle([nobody])).toEqual({ code: 2, output: 'there is no such money job\n' });
    expect((await settle(['--help'], {})).code).toBe(0);
    expect((await settle([nobody, '--retry'])).code).toBe(64);
    expect((await settle([nobody], {})).code).toBe(78);
    const away = { ...harness.environment.variables, DATABASE_URL: 'postgres://queue@127.0.0.1:1/queue' };
    expect(await settle([nobody], away)).toEqual({ code: 1, output: expect.stringContaining('ECONNREFUSED') });
  });
});

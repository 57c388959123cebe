import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Tier } from '../../src/contract/names';
import type { CrashHarness } from './crash-effects';
import { describeOpen, expectOnce, messagesLeft, openEnds } from './crash-checks';
import { allRows, shortRows, type CrashRow, type Kill } from './crash-points';
import { buildChild, CrashProcess, deathAt, type ProcessPlan } from './crash-process';
import { askOne, expectObeyed } from './crash-operator';
import { emptyWorkload, Publishing, type Workload } from './crash-workload';
import { eventually, openHarness } from './harness';
import { startSendGridSandbox } from './sandbox/sendgrid/sandbox';
import { API_KEY } from './sandbox/sendgrid/sending';

const RECOVERY_LIMIT_MS = 40_000;
/** Only ends a row in which everything before the recovery has failed to come to an end. */
const ROW_LIMIT_MS = 180_000;

/**
 * The crash matrix: processes end by SIGKILL around every step of a job's journey, and whatever was confirmed still ends
 * in one effect and one answer. All rows with CRASH_MATRIX=full (`npm run test:crash`), a few otherwise.
 */
export function describeCrashes(tiers: readonly Tier[]): void {
  const all = process.env['CRASH_MATRIX'] === 'full' ? allRows() : shortRows();
  const rows = all.filter(({ tier }) => tiers.includes(tier));
  describe('killed around a step', () => crashes(rows));
}

function crashes(rows: CrashRow[]): void {
  let harness: CrashHarness;
  let variables: Record<string, string>;
  let folder: string;
  let processes: CrashProcess[] = [];
  let tokens = 0;
  let open: string[] = [];

  beforeAll(async () => {
    ({ folder } = buildChild());
    const sendgrid = await startSendGridSandbox();
    harness = { ...(await openHarness()), sendgrid };
    variables = {
      ...harness.environment.variables,
      SENDGRID_API_KEY: API_KEY,
      SENDGRID_API_BASE: sendgrid.url,
      EMAIL_FROM: 'Tickets <tickets@example.com>',
    };
  });
  afterEach(() => {
    for (const process of processes) process.end();
    processes = [];
  });
  afterAll(async () => {
    await harness?.close();
    await harness?.sendgrid.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function start(plan: Omit<ProcessPlan, 'token'>, token = newToken()): CrashProcess {
    const process = new CrashProcess(variables, { ...plan, token });
    processes.push(process);
    return process;
  }

  function newToken(): string {
    tokens += 1;
    return path.join(folder, `death-${tokens}`);
  }

  /** Waits for the death of exactly one of these, where it was planned. */
  async function deathOf(those: CrashProcess[], { when, step }: Kill, token: string): Promise<void> {
    await eventually(`a process dies ${when} ${step}`, () => those.some(({ gone }) => gone), RECOVERY_LIMIT_MS);
    expect(those.filter(({ gone }) => gone).map(({ signal }) => signal)).toEqual(['SIGKILL']);
    expect(deathAt(token)).toBe(`${when} ${step}`);
  }

  async function killOnce(kill: Kill, plan: Omit<ProcessPlan, 'token' | 'kill'>): Promise<void> {
    const token = newToken();
    await deathOf([start({ ...plan, kill }, token)], kill, token);
  }

  async function hasEnded(workload: Workload): Promise<boolean> {
    open = await openEnds(harness, workload);
    return open.length === 0;
  }

  async function run({ point, when, replicas }: CrashRow, workload: Workload): Promise<string> {
    const publishing = new Publishing(harness.bus, workload);
    await publishing.everything();
    if (point.asks === 'cancel') await publishing.waiting();
    for (const kill of point.first ?? []) {
      if (point.busy) await publishing.some();
      await killOnce(kill, { window: point.window });
    }

    const kill = { step: point.step, when, call: point.call };
    const token = newToken();
    const armed = Array.from({ length: replicas }, () => start({ ...point, kill }, token));
    await Promise.all(armed.map((process) => process.started()));
    await publishing.some();
    if (point.asks) await askOne(harness, workload, point.asks, armed);
    await deathOf(armed, kill, token);

    // One replica is started again; of two the other goes on, if it can do everything.
    if (replicas === 1 || point.roles) await start({ window: point.window }).started();
    if (point.asks) {
      await askOne(harness, workload, point.asks, processes);
      await expectObeyed(harness, workload, point.asks);
    }
    await eventually('everything ends', async () => hasEnded(workload), RECOVERY_LIMIT_MS);
    // A message that came again though its work had ended may still stand in line; not once one behind it is answered.
    await publishing.last();
    await eventually('what came last ends', async () => hasEnded(workload), RECOVERY_LIMIT_MS);
    const living = processes.filter(({ gone }) => !gone);
    expect(await Promise.all(living.map((process) => process.stop()))).toEqual(living.map(() => 0));
    expect(await messagesLeft(harness)).toEqual({});
    const { requests, effects, repeated, outcomes } = await expectOnce(harness, workload);
    const kills = (point.first?.length ?? 0) + 1;
    return `${kills} kills, ${requests} requests, ${effects} effects, ${repeated} repeated, ${outcomes} outcomes`;
  }

  it.each(rows)(
    '$name',
    async (row) => {
      const workload = emptyWorkload(row.tier);
      try {
        const line = await run(row, workload);
        process.stdout.write(`${row.name}: ${line}\n`);
      } catch (error) {
        const logs = processes.map(({ pid, log }) => `--- process ${pid}\n${log.join('\n')}`);
        const jobs = await describeOpen(harness, workload);
        process.stderr.write(`${row.name}\nleft: ${open.join(', ')}\n${jobs}\n${logs.join('\n')}\n`);
        throw error;
      }
    },
    ROW_LIMIT_MS,
  );
}

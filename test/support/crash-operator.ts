import type { CrashProcess } from './crash-process';
import type { Workload } from './crash-workload';
import { eventually, type Harness } from './harness';

export type Ask = 'cancel' | 'replay';

/** Asks one of the processes, as an operator would; whoever is asked may die over it. */
export async function askOne(harness: Harness, workload: Workload, ask: Ask, processes: CrashProcess[]): Promise<void> {
  const jobId = ask === 'cancel' ? await waitingJob(harness, workload) : await failedJob(harness, workload);
  const [living] = processes.filter(({ gone }) => !gone);
  if (!living) throw new Error('nobody is left to be asked');
  await living.ask(ask, jobId);
}

/** What the operator asked for has come true, whoever died over it. */
export async function expectObeyed({ bus }: Harness, workload: Workload, ask: Ask): Promise<void> {
  if (ask === 'cancel') await bus.outcomeOf(workload.waiting ?? '', 'cancelled');
  else {
    const failed = failingRequests(workload);
    await eventually('a second generation ends', () =>
      failed.some((id) => bus.outcomesOf(id, 'failed').some(({ data }) => data.generation === 2)),
    );
  }
}

async function waitingJob({ environment: { pool } }: Harness, { waiting }: Workload): Promise<string> {
  return eventually('the waiting job is accepted', async () => {
    const { rows } = await pool.query<{ id: string }>('SELECT id FROM critical_jobs WHERE request_id = $1', [waiting]);
    return rows[0]?.id;
  });
}

async function failedJob({ bus }: Harness, workload: Workload): Promise<string> {
  const [id] = failingRequests(workload);
  const { data } = await bus.outcomeOf(id ?? '', 'failed');
  return data.jobId ?? '';
}

function failingRequests({ groups }: Workload): string[] {
  return groups.filter(({ ends }) => ends === 'failed').flatMap(({ requests }) => requests);
}

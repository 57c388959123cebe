import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { Role } from '../../../src/config';
import { buildChild, CrashProcess } from '../../support/crash-process';
import { eventually, openHarness, payment, type Harness } from '../../support/harness';
import { jobsByStatus, jobsByTerminalOutcomes, untilClaimed, untilCompleted } from '../../support/many-jobs';

const KEYS = 10;
const JOBS = 200;

const accepted = z.array(z.object({ ordering_key: z.string(), jobs: z.array(z.string()) }));
const spans = z.array(z.object({ job_id: z.string(), began: z.coerce.date(), ended: z.coerce.date() }));

let harness: Harness;
let folder: string;
let processes: CrashProcess[] = [];

beforeAll(async () => {
  ({ folder } = buildChild());
  harness = await openHarness();
});
afterAll(async () => {
  for (const process of processes) process.end();
  await harness?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(count: number, roles?: Role[]): Promise<CrashProcess[]> {
  const started = Array.from({ length: count }, (_, n) => {
    const token = path.join(folder, `token-${processes.length + n}`);
    return new CrashProcess(harness.environment.variables, { token, roles });
  });
  processes.push(...started);
  await Promise.all(started.map((process) => process.started()));
  return started;
}

/** Ids of the jobs of each key, in the order in which they were accepted. */
async function acceptedOrder(): Promise<string[][]> {
  const { rows } = await harness.environment.pool.query(
    `SELECT ordering_key, array_agg(id ORDER BY waiting_rank NULLS FIRST) AS jobs
     FROM critical_jobs WHERE finished_at IS NULL GROUP BY 1`,
  );
  return accepted.parse(rows).map(({ jobs }) => jobs);
}

const untilDone = (count: number): Promise<unknown> =>
  eventually(
    `${count} jobs are completed`,
    async () => ((await jobsByStatus(harness.environment.pool))['completed'] ?? 0) >= count,
    120_000,
  );

async function emptyRedis(): Promise<void> {
  const { redis, variables } = harness.environment;
  const keys = await redis.keys(`${variables['QUEUE_PREFIX']}:*`);
  if (keys.length > 0) await redis.unlink(...keys);
}

it('three replicas run each of ten lines in order, one at a time, through retries, a kill and the loss of Redis', async () => {
  const consumers = await start(3, ['consumer']);
  await Promise.all(
    Array.from({ length: JOBS }, (_, n) =>
      harness.bus.request({
        type: 'payment-process',
        data: payment(),
        idempotencyKey: randomUUID(),
        options: { orderingKey: `line-${n % KEYS}` },
      }),
    ),
  );
  await untilClaimed(harness.environment.pool, JOBS);
  const lines = await acceptedOrder();
  expect(lines.map((jobs) => jobs.length)).toEqual(Array.from({ length: KEYS }, () => JOBS / KEYS));
  await Promise.all(consumers.map((process) => process.stop()));

  harness.stripe.fault({ kind: 'unavailable', probability: 0.05, seed: 7, times: 10 });
  const [victim] = await start(3);
  await untilDone(JOBS / 10);
  victim?.end();
  await untilDone(JOBS / 4);
  await emptyRedis();
  await start(1);
  await untilCompleted(harness.environment.pool, JOBS, 120_000);

  const charged = harness.stripe.ledger().map(({ metadata }) => metadata['job_id']);
  expect(lines.map((jobs) => charged.filter((id) => jobs.includes(id ?? '')))).toEqual(lines);
  const { rows } = await harness.environment.pool.query(
    `SELECT job_id, min(at) FILTER (WHERE to_status = 'processing') AS began,
       max(at) FILTER (WHERE to_status = 'completed') AS ended
     FROM critical_job_transitions GROUP BY 1`,
  );
  const byJob = new Map(spans.parse(rows).map((span) => [span.job_id, span]));
  const early = lines.flatMap((jobs) =>
    jobs.filter((id, index) => {
      const before = byJob.get(jobs[index - 1] ?? '');
      return before && (byJob.get(id)?.began ?? new Date(0)) < before.ended;
    }),
  );
  expect(early).toEqual([]);
  expect(await jobsByTerminalOutcomes(harness.environment.pool)).toEqual({ 1: JOBS });
}, 300_000);

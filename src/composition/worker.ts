import { randomUUID } from 'node:crypto';
import { findJobType } from '../catalogue';
import { QUEUE_POLICIES } from '../catalogue/queues';
import type { Tier } from '../contract/names';
import { findUse, type ReadPayload } from '../execution/account';
import { executionMetrics, JobRunner } from '../execution/runner';
import { Guard } from '../execution/guard';
import { Settler } from '../execution/settler';
import { SuspectLane } from '../execution/suspects';
import { TypeSlots } from '../execution/type-slots';
import { createHandlers } from '../handlers';
import type { Gate } from '../limits/gate';
import type { Handler } from '../handlers/handler';
import { recordDeadLetters } from '../jobs/dead-letters';
import type { DispatchedJob } from '../jobs/job';
import { readJobView } from '../jobs/read';
import { uuidV5 } from '../platform/ids';
import type { Component } from '../platform/lifecycle';
import { within } from '../platform/time';
import { QueueWorker } from '../queues/worker';
import type { Foundation } from './foundation';
import { composeGate, type OpenedLimits } from './limits';
import { composeAdapters } from './providers';
import { tierSteps } from './records';
import { composeMoneyRecords } from './reports';
import { composeReports } from './webhooks';
import { composeWorkerLife } from './worker-lives';

/** Time that a stopping process gives to the settling of what it handed back. */
const HAND_BACK_MS = 4_000;

/** Jobs from Redis to their handlers and back; a worker for each queue of this process. */
export function composeWorkers(
  foundation: Foundation,
  limits: OpenedLimits,
  overriddenHandlers: Map<string, Handler>,
): Component[] {
  const { gate, component } = composeGate(foundation, limits);
  const findJob = (jobId: string) => readJobView(foundation.database, jobId);
  const readPayload = async (jobId: string) => (await findJob(jobId))?.data;
  const records = composeMoneyRecords(foundation.database);
  const ours = createHandlers(composeAdapters(foundation), findJob, composeReports(foundation), records);
  const handlers = new Map([...ours, ...overriddenHandlers]);
  const metrics = executionMetrics(foundation.metrics);
  // One for all tiers: a death of the process is laid at the door of whoever ran alone in it.
  const suspects = new SuspectLane();
  const workers = foundation.config.worker.queues.map((tier) =>
    composeWorker(foundation, tier, { handlers, suspects, gate, readPayload }, metrics),
  );
  // Stopped together: no tier goes on taking jobs, or uses up the time of the others, while one of them drains.
  return [
    component,
    composeWorkerLife(foundation),
    {
      name: 'workers',
      start: async () => {
        for (const worker of workers) await worker.start();
      },
      stop: async () => {
        const ends = await Promise.allSettled(workers.map((worker) => worker.stop()));
        const failed = ends.find((end) => end.status === 'rejected');
        if (failed) throw failed.reason;
      },
    },
  ];
}

/** What the workers of all tiers share. */
interface SharedParts {
  handlers: Map<string, Handler>;
  suspects: SuspectLane;
  gate: Gate;
  readPayload: ReadPayload;
}

function composeWorker(
  foundation: Foundation,
  tier: Tier,
  { handlers, suspects, gate, readPayload }: SharedParts,
  metrics: ReturnType<typeof executionMetrics>,
): { start: () => Promise<void>; stop: () => Promise<void> } {
  const { config, log, decorate } = foundation;
  const steps = tierSteps(foundation, tier);
  const runner = new JobRunner(
    {
      handlers,
      slots: new TypeSlots((type) => concurrencyOf(type, config.worker.canaryConcurrency)),
      guard: new Guard(steps.guard, randomUUID, suspects, config.worker.maxBatch),
      settler: new Settler(steps.settle, log, config.worker.maxBatch),
      effects: steps.effects,
      askPass: decorate('ask limiter', async (type, applicant) =>
        gate.ask(await findUse(findJobType(type), applicant.jobId, readPayload), applicant),
      ),
      noteProgress: steps.noteProgress,
      reportMissing: (ref, type) => reportMissing(foundation, tier, ref, type),
    },
    metrics,
    log,
  );
  const worker = new QueueWorker(
    {
      name: QUEUE_POLICIES[tier].queueName,
      prefix: foundation.tiers[tier].prefix,
      redisUrl: foundation.tiers[tier].url,
      concurrency: 2 * config.worker.maxBatch,
      lockMs: config.worker.lockMs,
      stalledCheckMs: config.worker.stalledCheckMs,
    },
    decorate('run job', (ref, type, priority) => runner.run(ref, type, priority)),
    log,
  );
  return {
    start: () => Promise.resolve(worker.start()),
    // Closed also when something would not leave, or its lock would be renewed for ever.
    stop: async () => {
      try {
        await drain(worker, runner, config.shutdownTimeoutMs - HAND_BACK_MS);
      } finally {
        await worker.close();
      }
    },
  };
}

/** Lets what runs finish; what is not done in time is handed back. */
async function drain(worker: QueueWorker, runner: JobRunner, timeoutMs: number): Promise<void> {
  const drained = worker.drain();
  await within(Math.max(0, timeoutMs), 'draining', drained).catch(() => runner.handBackAll());
  await within(HAND_BACK_MS, 'handing back', drained);
}

function concurrencyOf(type: string, canaryConcurrency: number): number {
  return type.startsWith('canary-') ? canaryConcurrency : (findJobType(type)?.concurrency ?? 1);
}

async function reportMissing(
  { database, log }: Foundation,
  tier: Tier,
  ref: DispatchedJob,
  type: string,
): Promise<void> {
  log.error('a queued job has no record', { jobId: ref.jobId, jobType: type, queue: tier });
  await recordDeadLetters(database, [
    {
      kind: 'gave_up',
      dedupeKey: uuidV5(ref.jobId, `missing:${ref.generation}`),
      jobId: ref.jobId,
      queueName: tier,
      jobType: type,
      code: 'RECORD_MISSING',
      errors: [{ path: '(queue)', message: 'the queue held a job that has no record' }],
      body: Buffer.from(JSON.stringify({ ...ref, type })),
    },
  ]);
}

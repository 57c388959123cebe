import { randomUUID } from 'node:crypto';
import { findJobType } from '../catalogue';
import { QUEUE_POLICIES } from '../catalogue/queues';
import { executionMetrics, JobRunner } from '../execution/runner';
import type { EffectSteps } from '../execution/effect-runner';
import { Guard } from '../execution/guard';
import { Settler, type SettleSteps } from '../execution/settler';
import { SuspectLane } from '../execution/suspects';
import { TypeSlots } from '../execution/type-slots';
import { createHandlers } from '../handlers';
import type { Handler } from '../handlers/handler';
import { takeFollowers } from '../jobs/followers';
import { recordDeadLetters } from '../jobs/dead-letters';
import {
  appendEffectFacts,
  beginEffects,
  readEffects,
  type EffectStart,
  type EffectStartAnswer,
} from '../jobs/effects';
import type { DispatchedJob } from '../jobs/job';
import { settleJobs, wasSettledBy } from '../jobs/settle';
import { readUnstarted, startExceptional, startJobs } from '../jobs/start';
import { appendToOutbox } from '../outbox/rows';
import { Batcher } from '../platform/batcher';
import { uuidV5 } from '../platform/ids';
import type { Component } from '../platform/lifecycle';
import { describeError } from '../platform/logger';
import { within } from '../platform/time';
import { createStripeAdapter } from '../providers/stripe/adapter';
import { QueueWorker } from '../queues/worker';
import type { Foundation } from './foundation';

/** Time that a stopping process gives to the settling of what it handed back. */
const HAND_BACK_MS = 4_000;

/** Jobs from Redis to their handlers and back. */
export function composeWorker(foundation: Foundation, overriddenHandlers: Map<string, Handler>): Component[] {
  const { config, log, metrics } = foundation;
  const runner = new JobRunner(
    {
      handlers: new Map([
        ...createHandlers({ stripe: createStripeAdapter(stripeOptions(foundation)) }),
        ...overriddenHandlers,
      ]),
      slots: new TypeSlots((type) => concurrencyOf(type, config.worker.canaryConcurrency)),
      guard: composeGuard(foundation),
      settler: new Settler(settleSteps(foundation), log, config.worker.maxBatch),
      effects: effectSteps(foundation),
      reportMissing: (ref, type) => reportMissing(foundation, ref, type),
    },
    executionMetrics(metrics),
    log,
  );
  const worker = new QueueWorker(
    {
      name: QUEUE_POLICIES.money.queueName,
      prefix: foundation.tiers.money.prefix,
      redisUrl: foundation.tiers.money.url,
      concurrency: 2 * config.worker.maxBatch,
      lockMs: config.worker.lockMs,
      stalledCheckMs: config.worker.stalledCheckMs,
    },
    foundation.decorate('run job', (ref, type) => runner.run(ref, type)),
    log,
  );
  return [
    {
      name: 'money worker',
      start: () => Promise.resolve(worker.start()),
      // Closed also when something would not leave, or its lock would be renewed for ever.
      stop: async () => {
        try {
          await drain(worker, runner, config.shutdownTimeoutMs - HAND_BACK_MS);
        } finally {
          await worker.close();
        }
      },
    },
  ];
}

/** Lets what runs finish; what is not done in time is handed back. */
async function drain(worker: QueueWorker, runner: JobRunner, timeoutMs: number): Promise<void> {
  const drained = worker.drain();
  await within(Math.max(0, timeoutMs), 'draining', drained).catch(() => runner.handBackAll());
  await within(HAND_BACK_MS, 'handing back', drained);
}

function stripeOptions({ config }: Foundation) {
  const { secretKey, apiBase } = config.stripe;
  return apiBase === undefined ? { secretKey } : { secretKey, apiBase };
}

function concurrencyOf(type: string, canaryConcurrency: number): number {
  return type.startsWith('canary-') ? canaryConcurrency : (findJobType(type)?.concurrency ?? 1);
}

function composeGuard({ config, database, decorate }: Foundation): Guard {
  return new Guard(
    {
      start: decorate('start', (requests) => startJobs(database, requests, config.instance)),
      readUnstarted: (jobId) => readUnstarted(database, jobId),
      startExceptional: decorate('start suspect', (request, asSuspect) =>
        startExceptional(database, request, config.instance, asSuspect),
      ),
    },
    randomUUID,
    new SuspectLane(),
    config.worker.maxBatch,
  );
}

function effectSteps({ config, database, decorate, log }: Foundation): EffectSteps {
  const beginning = new Batcher<EffectStart, EffectStartAnswer>(
    decorate('begin effect', (starts) => beginEffects(database, starts)),
    config.worker.maxBatch,
  );
  return {
    readLedger: decorate('read ledger', (jobId) => readEffects(database, jobId)),
    begin: (start) => beginning.submit(start),
    appendFacts: (facts) => appendEffectFacts(database, facts),
    callProvider: decorate('call provider', (call) => call()),
    onLateFact: (fact) => {
      log.warn('a late answer is recorded', { jobId: fact.jobId, effect: fact.name });
      appendEffectFacts(database, [fact]).catch((error: unknown) =>
        log.error('a late answer was not recorded', { jobId: fact.jobId, error: describeError(error) }),
      );
    },
  };
}

function settleSteps({ database, outboxSignal, decorate }: Foundation): SettleSteps {
  return {
    // Named as a whole, so that a kill before and after the commit can be told from one inside.
    transaction: decorate<SettleSteps['transaction']>('settle', (work) => database.transaction(work)),
    appendFacts: appendEffectFacts,
    settle: settleJobs,
    takeFollowers,
    recordDeadLetters,
    append: decorate('append outcome', appendToOutbox),
    wasSettledBy: (jobId, token) => wasSettledBy(database, jobId, token),
    signal: () => outboxSignal.send(),
  };
}

async function reportMissing({ database, log }: Foundation, ref: DispatchedJob, type: string): Promise<void> {
  log.error('a queued money job has no record', { jobId: ref.jobId, jobType: type });
  await recordDeadLetters(database, [
    {
      kind: 'gave_up',
      dedupeKey: uuidV5(ref.jobId, `missing:${ref.generation}`),
      jobId: ref.jobId,
      queueName: 'money',
      jobType: type,
      code: 'RECORD_MISSING',
      errors: [{ path: '(queue)', message: 'Redis held a job that PostgreSQL does not know' }],
      body: Buffer.from(JSON.stringify({ ...ref, type })),
    },
  ]);
}

import { randomUUID } from 'node:crypto';
import type { LineSteps, SettleSteps } from '../../src/execution/settler';
import { insertClaims, type Claim } from '../../src/jobs/claim';
import { recordDeadLetters } from '../../src/jobs/dead-letters';
import { appendEffectFacts, type EffectStart } from '../../src/jobs/effects';
import { takeFollowers } from '../../src/jobs/followers';
import { lockLines, releaseLines } from '../../src/jobs/ordering-keys';
import { settleJobs, wasSettledBy, type Settlement } from '../../src/jobs/settle';
import { startJobs, type StartedJob, type StartRequest } from '../../src/jobs/start';
import { appendToOutbox } from '../../src/outbox/rows';
import { uuidV7 } from '../../src/platform/ids';
import { createLogger } from '../../src/platform/logger';
import { Database } from '../../src/platform/postgres/database';

export const silentLog = createLogger({ level: 'silent', service: 'test' });

/** The service's own way into its database, for tests of single statements. */
export function openDatabase(url: string): Database {
  return new Database({ url, poolSize: 3, statementTimeoutMs: 10_000, prepareStatements: true }, silentLog);
}

/** A claim that meets no other. */
export function claimOf(over: Partial<Claim> = {}): Claim {
  return {
    jobId: uuidV7(),
    queueName: 'money-queue',
    jobType: 'canary-money',
    priority: 10,
    data: '{"n":1}',
    idempotencyKey: randomUUID(),
    keyScope: '/test',
    liveKey: randomUUID(),
    fingerprint: '1:test',
    requestKey: randomUUID(),
    source: '/test',
    requestId: randomUUID(),
    correlationId: undefined,
    traceparent: undefined,
    maxAttempts: 10,
    timeoutMs: 10_000,
    delayMs: 0,
    expiresAt: undefined,
    orderingKey: undefined,
    queued: true,
    rejectionKey: undefined,
    ...over,
  };
}

/** A job that exists and waits, and the request by which it is started. */
export async function claimJob(database: Database, over: Partial<Claim> = {}): Promise<StartRequest> {
  const claim = claimOf(over);
  await insertClaims(database, [claim]);
  return { jobId: claim.jobId, generation: 1, dispatch: 1, token: randomUUID() };
}

export async function startOne(database: Database, request: StartRequest): Promise<StartedJob> {
  const [job] = await startJobs(database, [request], 'test');
  if (!job) throw new Error('the job was not started');
  return job;
}

/** The lines of ordering keys, without a Redis to hand over to. */
export const lines: LineSteps = { lock: lockLines, release: releaseLines, handOver: () => Promise.resolve() };

/** The steps by which jobs of the money tier are settled. */
export function settleSteps(database: Database, over: Partial<SettleSteps> = {}): SettleSteps {
  return {
    transaction: (work) => database.transaction(work),
    appendFacts: appendEffectFacts,
    settle: (tx, ends) =>
      settleJobs(
        tx,
        ends.map(({ settlement }) => settlement),
      ),
    putBack: () => Promise.resolve([]),
    lines,
    takeFollowers,
    recordDeadLetters,
    append: appendToOutbox,
    wasSettledBy: (jobId, token) => wasSettledBy(database, jobId, token),
    tidyUp: () => Promise.resolve(),
    signal: () => undefined,
    ...over,
  };
}

/** A good end, or what a test makes of it. */
export function settlementOf({ jobId, token }: StartedJob, over: Partial<Settlement> = {}): Settlement {
  return {
    jobId,
    token,
    status: 'completed',
    result: { n: 1 },
    error: null,
    reason: 'DONE',
    attempts: 1,
    retryInMs: 0,
    sequence: 1,
    releaseKey: false,
    finishedAt: new Date(),
    takenBack: undefined,
    ...over,
  };
}

/** An effect that an attempt is about to begin. */
export function effectOf(job: StartedJob, over: Partial<EffectStart> = {}): EffectStart {
  const { jobId, token, generation } = job;
  const providerKey = `${jobId}:charge:1`;
  return {
    jobId,
    token,
    generation,
    providerKey,
    name: 'charge',
    number: 1,
    intent: {},
    timeoutMs: 1_000,
    callsBefore: 0,
    ...over,
  };
}

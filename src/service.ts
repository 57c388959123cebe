/**
 * Composes one process from its configuration, by hand: who gets what is written here and in composition/, nowhere
 * else. Roles share the foundation and nothing more; they meet in PostgreSQL, Redis and the broker.
 */
import { composeHttp } from './composition/api';
import { composeConsumer } from './composition/consumer';
import { doubtSteps } from './composition/doubt';
import { composeIntake } from './composition/intake';
import { layFoundation, type Decorate, type Foundation } from './composition/foundation';
import { availability, tellUnavailable } from './composition/providers';
import { composeRelay } from './composition/relay';
import { openLimits } from './composition/limits';
import { composeScheduler } from './composition/scheduler';
import { composeWorkers } from './composition/worker';
import type { Config, Role } from './config';
import { LOWER_TIERS, TIERS, type Tier } from './contract/names';
import { cancelJob, type CancelAnswer } from './execution/cancel';
import type { Handler } from './handlers/handler';
import { liveKeyOf } from './intake/keys';
import { cancelPending, lockForDecision, requestCancel } from './jobs/cancel';
import { takeFollowers } from './jobs/followers';
import type { JobRecord } from './jobs/job';
import { readFinishedView } from './jobs/finished';
import { readJob, readJobView, type JobView } from './jobs/read';
import { rejoinLine, releaseLines } from './jobs/ordering-keys';
import { readKeyParts, replayFailed } from './jobs/replay';
import { createProbes } from './monitoring/probes';
import { proofMetrics, Proofs } from './monitoring/proofs';
import { Lifecycle, type Component } from './platform/lifecycle';
import { createLogger } from './platform/logger';
import type { Metrics } from './platform/metrics';
import type { Database } from './platform/postgres/database';
import { settleDoubt, type DoubtAnswer } from './recovery/doubt';
import type { Decision } from './recovery/doubt-verdict';
import { replayJob, type ReplayAnswer } from './recovery/replay';
import { assertTopology } from './topology/assert';

export interface Service {
  /** @throws TopologyMismatchError when the broker contradicts the topology */
  start(): Promise<void>;
  /** Stops taking, finishes or hands back what runs, and closes everything. Safe to call twice. */
  stop(): Promise<void>;
  readJob(jobId: string): Promise<JobRecord | undefined>;
  cancelJob(jobId: string, reason: string): Promise<CancelAnswer>;
  /** Gives a failed job another generation. */
  replayJob(jobId: string, reason: string): Promise<ReplayAnswer>;
  /** Settles a money job in doubt by a person's word. */
  settleDoubt(jobId: string, decision: Decision): Promise<DoubtAnswer>;
  /** Checks the durability proofs now. */
  checkProofs(): void;
  metrics: Metrics;
  /** Where it listens, and to what. */
  http: { port: () => number | undefined; routes: { method: string; path: string }[] };
}

/** Parts that a test replaces. */
export interface ServiceOverrides {
  decorate?: Decorate;
  handlers?: Map<string, Handler>;
}

export function createService(config: Config, overrides: ServiceOverrides = {}): Service {
  const log = createLogger({ level: config.logLevel, service: config.serviceName });
  const foundation = layFoundation(config, log, overrides.decorate ?? ((_, step) => step));
  const { database } = foundation;
  const unavailable = tellUnavailable(config, log);
  const has = (role: Role): boolean => config.roles.has(role);

  const proofs = composeProofs(foundation, (tier) => consumer?.pause(tier));
  const blockedBy = (tier: Tier): string | undefined => proofs.intakeBlockedBy(tier);
  const door = has('consumer') || has('api') ? composeIntake(foundation, availability(config), blockedBy) : undefined;
  const consumer = door && has('consumer') ? composeConsumer(foundation, door) : undefined;
  const limits = has('worker') || has('scheduler') ? openLimits(foundation) : undefined;
  const scheduler = limits && has('scheduler') ? composeScheduler(foundation, limits) : undefined;
  const http = composeHttp(foundation, {
    jobs: door && has('api') ? { door, readJob: (jobId) => findJob(foundation, jobId) } : undefined,
    unavailable,
    moneyProblem: () => proofs.intakeBlockedBy('money'),
    components: () => components,
  });
  const components: Component[] = [
    ...storeComponents(foundation),
    ...foundation.callbacks.components,
    ...(limits?.components ?? []),
    ...http.first,
    { name: 'topology', start: () => assertTopology(config.rabbitmq.url) },
    { name: 'proofs', start: () => proofs.start(), stop: () => proofs.stop() },
    // Stopped in reverse: first nothing is taken any more, last the outcomes of what ran are published.
    ...(has('relay') ? composeRelay(foundation) : []),
    ...(scheduler?.components ?? []),
    ...(limits && has('worker') ? composeWorkers(foundation, limits, overrides.handlers ?? new Map()) : []),
    ...(door?.components ?? []),
    ...(consumer?.components ?? []),
    ...http.last,
  ];
  const lifecycle = new Lifecycle(components, log, config.shutdownTimeoutMs);
  return {
    start: () => lifecycle.start(),
    stop: () => lifecycle.stop(),
    readJob: (jobId) => readJob(database, jobId),
    cancelJob: (jobId, reason) => cancelJob(cancelSteps(foundation), jobId, reason),
    replayJob: (jobId, reason) =>
      replayJob(
        replaySteps(foundation, () => scheduler?.wakeFeeder()),
        jobId,
        reason,
      ),
    settleDoubt: (jobId, decision) => settleByHand(foundation, () => scheduler?.wakeFeeder(), jobId, decision),
    checkProofs: () => proofs.poke(),
    metrics: foundation.metrics,
    http: { port: http.port, routes: http.routes },
  };
}

/** Wherever a job of any tier may be: its record, its Redis while it is open, or what is remembered of its end. */
async function findJob({ database, tiers }: Foundation, jobId: string): Promise<JobView | undefined> {
  const recorded = await readJobView(database, jobId);
  if (recorded) return recorded;
  // Open first: an end is committed before Redis forgets the job, so one of the two knows it.
  const open = await Promise.all(LOWER_TIERS.map((tier) => tiers[tier].jobs.view(jobId).catch(() => undefined)));
  return (await readFinishedView(database, jobId)) ?? open.find((view) => view !== undefined);
}

/** PostgreSQL and the tiers' Redis. Requests for money are taken without Redis; those who run or recover jobs need it. */
function storeComponents({ config, database, tiers }: Foundation): Component[] {
  const needsRedis = config.roles.has('worker') || config.roles.has('scheduler');
  const probe = { text: 'SELECT 1' };
  return [
    {
      name: 'database',
      stop: () => database.close(),
      health: { of: 'database', check: () => database.query(probe) },
    },
    ...TIERS.flatMap((tier): Component[] => [
      {
        name: `${tier} redis`,
        stop: () => Promise.resolve(tiers[tier].redis.disconnect()),
        ...(needsRedis ? { health: { of: 'redis', check: () => tiers[tier].redis.ping() } } : {}),
      },
      { name: `${tier} queue`, stop: () => tiers[tier].queue.close() },
    ]),
  ];
}

function composeProofs({ config, database, tiers, metrics, log }: Foundation, onBlocked: (tier: Tier) => void): Proofs {
  const { url, managementUrl } = config.rabbitmq;
  const vhost = decodeURIComponent(new URL(url).pathname.slice(1)) || '/';
  const management = managementUrl === undefined ? undefined : { url: managementUrl, vhost };
  const probes = createProbes({
    redis: { money: tiers.money.redis, communication: tiers.communication.redis, background: tiers.background.redis },
    database,
    management,
  });
  return new Proofs(probes, proofMetrics(metrics), log, onBlocked, config.proofs.everyMs);
}

function cancelSteps({ database, outboxSignal, callbacks, decorate }: Foundation) {
  return {
    transaction: decorate<Database['transaction']>('cancel', database.transaction.bind(database)),
    lock: lockForDecision,
    cancelPending,
    releaseLines,
    requestCancel,
    takeFollowers,
    append: callbacks.append,
    signal: () => outboxSignal.send(),
  };
}

function replaySteps({ database, decorate }: Foundation, wakeFeeder: () => void): Parameters<typeof replayJob>[0] {
  return {
    transaction: decorate<Database['transaction']>('replay', database.transaction.bind(database)),
    lock: lockForDecision,
    liveKeyOf: async (tx, jobId) => {
      const key = await readKeyParts(tx, jobId);
      if (!key) throw new Error('a locked job is gone');
      return liveKeyOf(key.jobType, key.keyScope, key.idempotencyKey);
    },
    rejoinLine,
    replay: replayFailed,
    wakeFeeder,
  };
}

async function settleByHand(
  { database, outboxSignal, callbacks, decorate, log }: Foundation,
  wakeFeeder: () => void,
  jobId: string,
  decision: Decision,
): Promise<DoubtAnswer> {
  const steps = doubtSteps({
    transaction: decorate<Database['transaction']>('settle doubt', database.transaction.bind(database)),
    append: callbacks.append,
    wakeFeeder,
    signal: () => outboxSignal.send(),
  });
  const answer = await settleDoubt(steps, jobId, decision);
  // Who decided, and why, is in the database.
  log.info('a job in doubt was decided about', { jobId, said: decision.said, answer: answer.kind });
  return answer;
}

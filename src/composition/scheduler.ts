import { markNotQueued } from '../jobs/claim';
import { raiseDispatch, readOpenDispatched, reopenResolved, takeExpiredBehind, takeWaiting } from '../jobs/dispatch';
import { noteAccepted, readCounts } from '../jobs/counts';
import { FINISHED_AS_RECORD } from '../jobs/finished';
import { deleteFollowers, readUnknownFollowed, takeLateFollowers } from '../jobs/followers';
import { readMarker, writeMarker, type QueueMarker } from '../jobs/markers';
import { closeBooks, readBooks, type Book } from '../jobs/volatile/books';
import { ensurePartitions } from '../outbox/partitions';
import { readDeadWorkers } from './worker-lives';
import { Lease } from '../platform/lease';
import type { Component } from '../platform/lifecycle';
import { describeError } from '../platform/logger';
import { Loop } from '../platform/time';
import { QUEUE_POLICIES } from '../catalogue/queues';
import { LOWER_TIERS, type LowerTier } from '../contract/names';
import { leaveMarker, readMemory } from '../queues/marker';
import { answerLateFollowers } from '../recovery/late-followers';
import { LostFollowers } from '../recovery/lost-followers';
import { Reconciler, recoveryMetrics } from '../recovery/reconciler';
import { tierWatchMetrics, watchTier } from '../recovery/tier-watch';
import { leaseDatabase, type Foundation } from './foundation';
import { composeLimitWatch, type OpenedLimits } from './limits';
import { composeRetention } from './retention';

const HOUR_MS = 60 * 60 * 1_000;

export interface SchedulerRole {
  components: Component[];
  /** Has waiting jobs fed to Redis at once. */
  wakeFeeder: () => void;
}

/** The duties of which one process of all takes care: recovery and retention. */
export function composeScheduler(foundation: Foundation, limits: OpenedLimits): SchedulerRole {
  const { config, log, metrics, database } = foundation;
  const leaderGauge = metrics.gauge('scheduler_leader', '1 in the process that holds the leader duties');
  const lease = new Lease(
    leaseDatabase(foundation),
    {
      name: 'scheduler',
      holder: config.instance,
      ttlMs: config.recovery.leaseMs,
      onChange: (held) => {
        leaderGauge.set(held ? 1 : 0);
        if (!held) return;
        reconciler.poke();
        retention.wake();
        limitWatch.wake();
      },
    },
    log,
  );
  const reconciler = composeReconciler(foundation, () => lease.held);
  const retention = composeRetention(foundation, lease);
  const limitWatch = composeLimitWatch(foundation, limits, () => lease.held);
  const lateFollowers = new Loop(
    async () => {
      for (const records of ['critical_jobs', FINISHED_AS_RECORD]) await answerFollowersOf(foundation, lease, records);
    },
    config.recovery.checkEveryMs,
    (error) => log.warn('late followers not answered', { error: describeError(error) }),
  );
  const watchMetrics = tierWatchMetrics(metrics);
  return {
    components: [
      { name: 'outbox partitions', start: () => ensurePartitions(database) },
      { name: 'scheduler lease', start: () => Promise.resolve(lease.start()), stop: () => lease.stop() },
      { name: 'reconciler', start: () => Promise.resolve(reconciler.start()), stop: () => reconciler.stop() },
      {
        name: 'late followers',
        start: () => Promise.resolve(lateFollowers.start()),
        stop: () => lateFollowers.stop(),
      },
      composeLostFollowers(foundation, lease),
      limitWatch.component,
      ...LOWER_TIERS.map((tier) => composeTierWatch(foundation, tier, lease, watchMetrics)),
      ...retention.components,
    ],
    wakeFeeder: () => reconciler.poke(),
  };
}

function answerFollowersOf(foundation: Foundation, lease: Lease, records: string): Promise<void> {
  return answerLateFollowers({
    isLeader: () => lease.held,
    transaction: (work) => foundation.database.transaction(work),
    take: (tx) => takeLateFollowers(tx, records),
    append: foundation.callbacks.append,
    signal: () => foundation.outboxSignal.send(),
  });
}

function composeLostFollowers({ database, tiers, log }: Foundation, lease: Lease): Component {
  const followers = new LostFollowers({
    isLeader: () => lease.held,
    readUnknownFollowed: (after, limit) => readUnknownFollowed(database, after, limit),
    areOpen: async (jobIds) => {
      const byTier = await Promise.all(LOWER_TIERS.map((tier) => tiers[tier].jobs.areOpen(jobIds)));
      return jobIds.map((_, index) => byTier.some((open) => open[index]));
    },
    deleteFollowers: (jobIds) => deleteFollowers(database, jobIds),
  });
  const loop = new Loop(
    async () => {
      const jobs = await followers.look();
      if (jobs > 0) log.warn('followers of lost jobs are forgotten', { jobs });
    },
    HOUR_MS,
    (error) => log.warn('followers of lost jobs not looked for', { error: describeError(error) }),
  );
  return { name: 'lost followers', start: () => Promise.resolve(loop.start()), stop: () => loop.stop() };
}

function composeTierWatch(
  { config, database, tiers, log }: Foundation,
  tier: LowerTier,
  lease: Lease,
  metrics: ReturnType<typeof tierWatchMetrics>,
): Component {
  const { redis, queue, prefix } = tiers[tier];
  const { queueName } = QUEUE_POLICIES[tier];
  const steps = {
    isLeader: () => lease.held,
    readMemory: () => readMemory(redis, prefix),
    leaveMarker: (found: number | undefined, marker: number) => leaveMarker(redis, prefix, found, marker),
    readMarker: () => readMarker(database, queueName),
    writeMarker: (marker: QueueMarker) => writeMarker(database, queueName, marker),
    readBooks: () => readBooks(redis, prefix),
    noteAccepted: (books: Book[]) => noteAccepted(database, queueName, books),
    closeBooks: (books: Book[]) => closeBooks(redis, prefix, books),
    readCounts: () => readCounts(database, queueName),
    size: () => queue.size(),
  };
  const loop = new Loop(
    () => watchTier(steps, queueName, metrics, log),
    config.recovery.checkEveryMs,
    (error) => log.warn('a tier could not be watched', { queue: queueName, error: describeError(error) }),
  );
  return { name: `${tier} watch`, start: () => Promise.resolve(loop.start()), stop: () => loop.stop() };
}

function composeReconciler(foundation: Foundation, isLeader: () => boolean): Reconciler {
  const { config, log, metrics, database, decorate } = foundation;
  const { redis, queue, prefix } = foundation.tiers.money;
  const { queueName } = QUEUE_POLICIES.money;
  return new Reconciler(
    {
      isLeader,
      readMemory: () => readMemory(redis, prefix),
      leaveMarker: decorate('leave marker', (found, marker) => leaveMarker(redis, prefix, found, marker)),
      readMarker: () => readMarker(database, queueName),
      writeMarker: decorate('remember marker', (marker) => writeMarker(database, queueName, marker)),
      readDeadWorkers: () => readDeadWorkers(database),
      readOpen: (page, deadWorkers) => readOpenDispatched(database, page, deadWorkers),
      holds: (jobs) => queue.holds(jobs),
      raiseDispatch: decorate('hand over again', (jobs, deadWorkers) => raiseDispatch(database, jobs, deadWorkers)),
      enqueue: decorate('feed', (jobs) => queue.add(jobs)),
      markNotQueued: (jobIds) => markNotQueued(database, jobIds),
      size: () => queue.size(),
      takeWaiting: decorate('take waiting', (limit) => takeWaiting(database, limit)),
      takeExpiredBehind: (limit) => takeExpiredBehind(database, limit),
      reopenResolved: () => reopenResolved(database),
    },
    { window: config.intake.windows.money, ...config.recovery },
    recoveryMetrics(metrics),
    log,
  );
}

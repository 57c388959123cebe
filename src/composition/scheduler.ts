import { markNotQueued } from '../jobs/claim';
import { raiseDispatch, readOpenDispatched, reopenResolved, takeWaiting } from '../jobs/dispatch';
import { takeLateFollowers } from '../jobs/followers';
import { readMarker, writeMarker } from '../jobs/markers';
import { dropPublishedPartitions, ensurePartitions } from '../outbox/partitions';
import { appendToOutbox } from '../outbox/rows';
import { Lease } from '../platform/lease';
import type { Component } from '../platform/lifecycle';
import { describeError } from '../platform/logger';
import { Loop } from '../platform/time';
import { QUEUE_POLICIES } from '../catalogue/queues';
import { leaveMarker, readMemory } from '../queues/marker';
import { answerLateFollowers } from '../recovery/late-followers';
import { Reconciler, recoveryMetrics } from '../recovery/reconciler';
import { leaseDatabase, type Foundation } from './foundation';

const HOUR_MS = 60 * 60 * 1_000;
/** Published messages stay this long, for people who look into something. */
const KEEP_PUBLISHED_MS = 7 * 24 * HOUR_MS;

export interface SchedulerRole {
  components: Component[];
  /** Has waiting jobs fed to Redis at once. */
  wakeFeeder: () => void;
}

/** The duties of which one process of all takes care: recovery, and the outbox's partitions. */
export function composeScheduler(foundation: Foundation): SchedulerRole {
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
        if (held) reconciler.poke();
      },
    },
    log,
  );
  const reconciler = composeReconciler(foundation, () => lease.held);
  const upkeep = new Loop(
    async () => {
      if (!lease.held) return;
      await ensurePartitions(database);
      const dropped = await dropPublishedPartitions(database, new Date(Date.now() - KEEP_PUBLISHED_MS));
      if (dropped.length > 0) log.info('published partitions dropped', { partitions: dropped });
    },
    HOUR_MS,
    (error) => log.error('partitions not kept up', { error: describeError(error) }),
  );
  const lateFollowers = new Loop(
    () =>
      answerLateFollowers({
        isLeader: () => lease.held,
        transaction: (work) => database.transaction(work),
        take: takeLateFollowers,
        append: appendToOutbox,
        signal: () => foundation.outboxSignal.send(),
      }),
    config.recovery.checkEveryMs,
    (error) => log.warn('late followers not answered', { error: describeError(error) }),
  );
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
      { name: 'partition upkeep', start: () => Promise.resolve(upkeep.start()), stop: () => upkeep.stop() },
    ],
    wakeFeeder: () => reconciler.poke(),
  };
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
      readOpen: (page) => readOpenDispatched(database, page),
      holds: (jobs) => queue.holds(jobs),
      raiseDispatch: decorate('hand over again', (jobs) => raiseDispatch(database, jobs)),
      enqueue: decorate('feed', (jobs) => queue.add(jobs)),
      markNotQueued: (jobIds) => markNotQueued(database, jobIds),
      size: () => queue.size(),
      takeWaiting: decorate('take waiting', (limit) => takeWaiting(database, limit)),
      reopenResolved: () => reopenResolved(database),
    },
    { window: config.intake.window, ...config.recovery },
    recoveryMetrics(metrics),
    log,
  );
}

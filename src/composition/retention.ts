import { QUEUE_POLICIES } from '../catalogue/queues';
import { LOWER_TIERS, type LowerTier } from '../contract/names';
import { deleteReadings } from '../limits/history';
import { deleteIdleKeys } from '../jobs/ordering-keys';
import { deleteAnnouncements, deleteReports } from '../jobs/provider-reports';
import { forgetExpired } from '../jobs/volatile/expiry';
import { deletePublishedStrays, dropPublishedPartitions, ensurePartitions } from '../outbox/partitions';
import type { Lease } from '../platform/lease';
import type { Component } from '../platform/lifecycle';
import { describeError, type Logger } from '../platform/logger';
import { Loop } from '../platform/time';
import { deleteEvents } from '../providers/analytics-store/rows';
import { deleteDeliveries } from '../subscriptions/deliveries';
import type { Foundation } from './foundation';
import { composeArchive } from './reports';
import { forgetDeadWorkers } from './worker-lives';

const MINUTE_MS = 60 * 1_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Rows that one statement of the clean-up takes, so that it never holds up others for long. */
const AT_ONCE = 1_000;
/** Published messages stay this long, for people who look into something. */
const KEEP_PUBLISHED_MS = 7 * DAY_MS;
/** A key in use is not forgotten and made again for each of its jobs. */
const KEEP_IDLE_KEYS_MS = HOUR_MS;
/** Analytics events name people; what is counted of them by minute and by day does not, and stays. */
const KEEP_EVENTS_MS = 90 * DAY_MS;
/** As long as the jobs that they are about. */
const KEEP_REPORTS_MS = 90 * DAY_MS;
/** What the limits looked like. */
const KEEP_READINGS_MS = 7 * DAY_MS;
/** What subscribers were told, and what became of it; longer than a call is tried. */
const KEEP_DELIVERIES_MS = 30 * DAY_MS;

export interface Retention {
  components: Component[];
  /** Begins at once, when this process has come to lead: it may not live until the next turn. */
  wake: () => void;
}

/** What makes room, by time alone: the outbox's partitions, ends that are remembered no longer, old analytics events. */
export function composeRetention(foundation: Foundation, lease: Lease): Retention {
  const duties = [
    composeOutboxUpkeep(foundation, lease),
    ...LOWER_TIERS.map((tier) => composeExpiry(foundation, tier, lease)),
    composeEventExpiry(foundation, lease),
    composeOrderingKeyExpiry(foundation, lease),
    composeLifeExpiry(foundation, lease),
    composeReadingExpiry(foundation, lease),
    composeReportExpiry(foundation, lease),
    ...composeArchiveExpiry(foundation, lease),
    composeDeliveryExpiry(foundation, lease),
  ];
  return {
    components: duties.map(({ name, loop }) => ({
      name,
      start: () => Promise.resolve(loop.start()),
      stop: () => loop.stop(),
    })),
    wake: () => {
      for (const { loop } of duties) loop.poke();
    },
  };
}

interface Duty {
  name: string;
  loop: Loop;
}

function composeOutboxUpkeep({ database, log }: Foundation, lease: Lease): Duty {
  return repeat('partition upkeep', HOUR_MS, log, async () => {
    if (!lease.held) return;
    await ensurePartitions(database);
    const keepSince = new Date(Date.now() - KEEP_PUBLISHED_MS);
    const dropped = await dropPublishedPartitions(database, keepSince);
    if (dropped.length > 0) log.info('published partitions dropped', { partitions: dropped });
    await inSteps(lease, () => deletePublishedStrays(database, keepSince, AT_ONCE));
  });
}

/** Ends that are remembered no longer; a tier of its own each, so that one whose Redis is away keeps no other waiting. */
function composeExpiry({ database, tiers, log }: Foundation, tier: LowerTier, lease: Lease): Duty {
  const { queueName } = QUEUE_POLICIES[tier];
  return repeat(`${tier} expiry`, MINUTE_MS, log, () =>
    inSteps(lease, () => forgetExpired(tiers[tier].jobs, database, queueName, AT_ONCE)),
  );
}

function composeEventExpiry({ database, log }: Foundation, lease: Lease): Duty {
  return repeat('analytics expiry', HOUR_MS, log, () =>
    inSteps(lease, () => deleteEvents(database, new Date(Date.now() - KEEP_EVENTS_MS), AT_ONCE)),
  );
}

function composeOrderingKeyExpiry({ database, log }: Foundation, lease: Lease): Duty {
  return repeat('ordering keys expiry', HOUR_MS, log, () =>
    inSteps(lease, () => deleteIdleKeys(database, KEEP_IDLE_KEYS_MS, AT_ONCE)),
  );
}

function composeLifeExpiry({ database, log }: Foundation, lease: Lease): Duty {
  return repeat('worker lives expiry', HOUR_MS, log, () => inSteps(lease, () => forgetDeadWorkers(database, AT_ONCE)));
}

function composeReadingExpiry({ database, log }: Foundation, lease: Lease): Duty {
  return repeat('limit readings expiry', HOUR_MS, log, () =>
    inSteps(lease, () => deleteReadings(database, new Date(Date.now() - KEEP_READINGS_MS), AT_ONCE)),
  );
}

function composeReportExpiry({ database, log }: Foundation, lease: Lease): Duty {
  return repeat('provider reports expiry', HOUR_MS, log, async () => {
    const before = new Date(Date.now() - KEEP_REPORTS_MS);
    await inSteps(lease, () => deleteReports(database, before, AT_ONCE));
    await inSteps(lease, () => deleteAnnouncements(database, before, AT_ONCE));
  });
}

function composeArchiveExpiry(foundation: Foundation, lease: Lease): Duty[] {
  const archive = composeArchive(foundation);
  if (!archive) return [];
  return [
    repeat('report expiry', HOUR_MS, foundation.log, async () => {
      await inSteps(lease, () => archive.expire(AT_ONCE));
      if (lease.held) await archive.sweep();
    }),
  ];
}

function composeDeliveryExpiry({ database, log }: Foundation, lease: Lease): Duty {
  return repeat('webhook deliveries expiry', HOUR_MS, log, () =>
    inSteps(lease, () => deleteDeliveries(database, new Date(Date.now() - KEEP_DELIVERIES_MS), AT_ONCE)),
  );
}

/** @param step deals with so many rows at most, and answers with their number */
async function inSteps(lease: Lease, step: () => Promise<number>): Promise<void> {
  while (lease.held && (await step()) === AT_ONCE);
}

function repeat(name: string, everyMs: number, log: Logger, work: () => Promise<void>): Duty {
  const onError = (error: unknown) => log.error('clean-up failed', { of: name, error: describeError(error) });
  return { name, loop: new Loop(work, everyMs, onError) };
}

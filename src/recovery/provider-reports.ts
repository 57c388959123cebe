/**
 * What a provider reports by webhook, written down: beside the job that it is about, into the ledger of that job, and as
 * domain events. One transaction, so that a process that dies over it has done all of it or nothing, and the same report
 * again does nothing.
 *
 * A report that an effect happened is a late answer of the provider like any other: the ledger has it from then on, and the
 * job goes on by itself. One that it did not happen ends a job in doubt by the way by which a person would.
 */
import type { ProviderReport } from '../jobs/provider-reports';
import type { CancellableJob } from '../jobs/cancel';
import type { DoubtfulEffect } from '../jobs/doubt';
import type { EffectFact } from '../jobs/effects';
import { announcementId, announcementMessage, type Announcement } from '../contract/published-events';
import type { KeptReport, ReportedEffect, TakenReport } from '../handlers/webhook-process';
import type { OutboxMessage } from '../outbox/rows';
import { uuidV5 } from '../platform/ids';
import type { Transaction } from '../platform/postgres/database';
import type { SuppressionReason } from '../providers/suppression-list';
import type { DoubtAnswer } from './doubt';
import { isUncertain, type Decision } from './doubt-verdict';

export interface ReportSteps {
  transaction: <Value>(work: (tx: Transaction) => Promise<Value>) => Promise<Value>;
  lock: (tx: Transaction, jobId: string) => Promise<CancellableJob | undefined>;
  readEffects: (tx: Transaction, jobId: string) => Promise<DoubtfulEffect[]>;
  appendFacts: (tx: Transaction, facts: EffectFact[]) => Promise<void>;
  wake: (tx: Transaction, jobId: string) => Promise<void>;
  settleDoubt: (tx: Transaction, jobId: string, decision: Decision) => Promise<DoubtAnswer>;
  keep: (tx: Transaction, report: ProviderReport, takenBy: string) => Promise<boolean>;
  suppress: (tx: Transaction, addressDigest: string, reason: SuppressionReason) => Promise<void>;
  takeUnannounced: (tx: Transaction, ids: string[]) => Promise<Set<string>>;
  append: (tx: Transaction, messages: OutboxMessage[]) => Promise<void>;
  /** Tells the relay, after the commit. */
  signal: () => void;
}

/** Keeps a report and does what follows from it, or says what must be waited for; then it is not kept yet. */
export async function takeReport(steps: ReportSteps, taken: TakenReport): Promise<KeptReport> {
  const kept = await steps.transaction((tx) => takeIn(steps, tx, taken));
  steps.signal();
  return kept;
}

async function takeIn(steps: ReportSteps, tx: Transaction, taken: TakenReport): Promise<KeptReport> {
  const told = await tellJob(steps, tx, taken);
  if (told === 'jobRuns' || told === 'toClose') return { kind: told };
  const known = told === 'notItsOwn' ? withoutJob(taken) : taken;
  const { report, announcements } = known;
  if (!(await steps.keep(tx, rowOf(known), known.takenBy))) return { kind: 'kept', published: [] };
  if (report.provider === 'sendgrid' && report.suppress) {
    await steps.suppress(tx, report.addressDigest, report.suppress);
  }
  return { kind: 'kept', published: await publish(steps, tx, report.objectId, announcements) };
}

async function tellJob(
  steps: ReportSteps,
  tx: Transaction,
  { report, jobId, effect }: TakenReport,
): Promise<'jobRuns' | 'toClose' | 'notItsOwn' | undefined> {
  if (jobId === undefined || !effect) return undefined;
  const job = await steps.lock(tx, jobId);
  // Read under the lock: whoever records what the provider answered takes it too.
  const entry = job && (await steps.readEffects(tx, jobId)).find((one) => isMeant(one, report.provider, effect));
  if (!entry) return 'notItsOwn';
  const { became } = effect;
  if (became.kind === 'done' && entry.state !== 'done') await steps.appendFacts(tx, [factOf(jobId, entry, became)]);
  if (job.status === 'processing') return 'jobRuns';
  if (job.status === 'pending') await steps.wake(tx, jobId);
  if (job.status !== 'in_doubt' || !isUncertain(entry)) return undefined;
  if (became.kind === 'open') return 'toClose';
  if (became.kind !== 'declined') return undefined;
  const answer = await steps.settleDoubt(tx, jobId, decisionOf(report, entry, became));
  return answer.kind === 'underWay' ? 'jobRuns' : undefined;
}

/** Metadata alone prove nothing: whoever has a connected account can write a job's into objects of that account. */
function isMeant({ name, providerKey, intent }: DoubtfulEffect, provider: string, effect: ReportedEffect): boolean {
  if (providerKey !== effect.providerKey || name !== effect.name || intent['provider'] !== provider) return false;
  return effect.accountId === undefined
    ? name !== 'payout'
    : name === 'payout' && intent['accountId'] === effect.accountId;
}

/** What happened to somebody else's object is told all the same, but of no job. */
function withoutJob(taken: TakenReport): TakenReport {
  const announcements = taken.announcements.map(({ data, ...rest }) => {
    return { ...rest, data: data['transactionId'] === taken.jobId ? { ...data, transactionId: null } : data };
  });
  return { ...taken, jobId: undefined, effect: undefined, announcements };
}

function factOf(
  jobId: string,
  { name, number }: DoubtfulEffect,
  { reference, value }: { reference: string; value: unknown },
): EffectFact {
  // A token fences only what is said to be absent; that something happened may be told by anybody.
  return { jobId, token: NOBODYS_TOKEN, name, number, state: 'done', reference, value };
}

const NOBODYS_TOKEN = '00000000-0000-0000-0000-000000000000';

function decisionOf(
  { provider, eventId, event }: TakenReport['report'],
  { name }: DoubtfulEffect,
  { code, message }: { code: string; message: string },
): Decision {
  const reason = `${event} (${eventId}): the provider says that it did not happen: ${code}`;
  return { by: provider, reason, said: 'notHappened', effect: name, next: 'fail', told: { code, message } };
}

/** Publishes what no earlier report told, in order for each object. */
async function publish(
  steps: ReportSteps,
  tx: Transaction,
  objectId: string,
  announcements: Announcement[],
): Promise<string[]> {
  const isNew = await steps.takeUnannounced(tx, announcements.map(announcementId));
  const fresh = announcements.filter((one) => isNew.has(announcementId(one)));
  const now = new Date();
  const orderingKey = uuidV5(NAMESPACE, objectId);
  await steps.append(
    tx,
    fresh.map((one) => ({ orderingKey, ...announcementMessage(one, now) })),
  );
  return fresh.map(({ name }) => name);
}

/** Of the keys that keep the events of an object in order. */
const NAMESPACE = uuidV5('6ba7b811-9dad-11d1-80b4-00c04fd430c8', 'provider-objects');

function rowOf({ report, jobId }: TakenReport): ProviderReport {
  const { provider, eventId, event, objectId } = report;
  return {
    provider,
    eventId,
    event,
    objectId,
    jobId,
    code: 'code' in report ? report.code : undefined,
    occurredAt: 'occurredAt' in report ? report.occurredAt : undefined,
  };
}

import { z } from 'zod';
import type { Tier } from '../../contract/names';
import type { Claim } from '../claim';
import type { StandingJob } from '../conflicts';
import type { JobIdentity, JobRecord } from '../job';
import type { JobView } from '../read';
import type { StartedJob } from '../start';
import { bookList } from './books';

/** A job of a lower tier is handed to Redis once: what Redis loses is lost with the job itself. */
export const ONLY_GENERATION = 1;
export const ONLY_DISPATCH = 1;

/** What never changes while a job is open, as its Redis holds it. */
const volatileRecord = z.object({
  type: z.string(),
  idempotencyKey: z.string(),
  liveKey: z.uuid(),
  fingerprint: z.string(),
  requestKey: z.uuid(),
  /** Absent in what an older build took in. */
  rejectionKey: z.uuid().nullish(),
  source: z.string(),
  requestId: z.string(),
  correlationId: z.string().nullable(),
  traceparent: z.string().nullable(),
  maxAttempts: z.int(),
  timeoutMs: z.int(),
  acceptedAt: z.int(),
  payload: z.unknown(),
});
export type VolatileRecord = z.infer<typeof volatileRecord>;

export function writeRecord(claim: Claim, now: Date): string {
  const fixed: Omit<VolatileRecord, 'payload'> = {
    type: claim.jobType,
    idempotencyKey: claim.idempotencyKey,
    liveKey: claim.liveKey,
    fingerprint: claim.fingerprint,
    requestKey: claim.requestKey,
    rejectionKey: claim.rejectionKey ?? null,
    source: claim.source,
    requestId: claim.requestId,
    correlationId: claim.correlationId ?? null,
    traceparent: claim.traceparent ?? null,
    maxAttempts: claim.maxAttempts,
    timeoutMs: claim.timeoutMs,
    acceptedAt: now.getTime(),
  };
  // The payload is JSON text already.
  return `${JSON.stringify(fixed).slice(0, -1)},"payload":${claim.data}}`;
}

const text = z.string().transform((json, context) => {
  try {
    return volatileRecord.parse(JSON.parse(json));
  } catch {
    context.addIssue('is not the record of a job');
    return z.NEVER;
  }
});
const status = z.enum(['pending', 'processing']);
const count = z.coerce.number().int();
/** A moment in milliseconds, or nothing. */
const moment = z.string().transform((ms) => (ms === '' ? undefined : new Date(Number(ms))));

/** How the scripts answer: fields by place, nothing at all for a job that is not there. */
export const startedAnswers = z.array(z.union([z.tuple([text, count, count, moment, count]), z.tuple([])]));
export const startedAnswer = startedAnswers.element;
export const snapshotAnswers = z.array(
  z.union([z.tuple([z.uuid(), text, status, count, count, moment, z.enum(['', '1'])]), z.tuple([])]),
);
export const unstartedAnswer = z.union([
  z.tuple([status, count, z.enum(['0', '1']), z.enum(['0', '1']), count]),
  z.tuple([]),
]);
export const flags = z.array(z.literal([0, 1]));
export const prolongedAnswer = z.tuple([flags, bookList]);

/** Fields of one hash, by name, as `HMGET` answers. */
export const viewedFields = z.tuple([text, status, count, count, moment, moment.nullable(), count]);

/** An open job as those see it whom it concerns. */
export function toView(
  tier: Tier,
  jobId: string,
  [record, jobStatus, attempts, sequence, runAt, startedAt, progress]: z.infer<typeof viewedFields>,
): JobView {
  return {
    ...toRecord(tier, jobId, record, { status: jobStatus, attempts, sequence, startedAt: startedAt ?? undefined }),
    data: record.payload,
    ...ownersOf(record.payload),
    maxAttempts: record.maxAttempts,
    runAt,
    progress: jobStatus === 'processing' ? progress : 0,
  };
}

/** Whose job it is, for those who may look at it. */
export function ownersOf(payload: unknown): { userId: string | undefined; venueId: string | undefined } {
  const { userId, venueId }: { userId?: unknown; venueId?: unknown } =
    typeof payload === 'object' && payload !== null ? payload : {};
  return {
    userId: typeof userId === 'string' ? userId : undefined,
    venueId: typeof venueId === 'string' ? venueId : undefined,
  };
}

/** An open job; it always holds its key. */
export interface OpenJob extends StandingJob {
  liveKey: string;
  rejectionKey: string | undefined;
  /** Somebody found nothing in PostgreSQL that is in its way. Until then it is a mere claim, and nobody is told of it. */
  confirmed: boolean;
}

/** An open job as it stands in the way of a claim, or is looked at. */
export function toStanding(
  tier: Tier,
  [jobId, record, jobStatus, attempts, sequence, startedAt, confirmed]: Exclude<
    z.infer<typeof snapshotAnswers>[number],
    []
  >,
): OpenJob {
  return {
    requestKey: record.requestKey,
    rejectionKey: record.rejectionKey ?? undefined,
    liveKey: record.liveKey,
    fingerprint: record.fingerprint,
    confirmed: confirmed === '1',
    queued: false,
    ...toRecord(tier, jobId, record, { status: jobStatus, attempts, sequence, startedAt }),
  };
}

export function toStarted(
  tier: Tier,
  jobId: string,
  token: string,
  [record, attempts, sequence, startedAt, starts]: Exclude<z.infer<typeof startedAnswer>, []>,
): StartedJob {
  const { payload, maxAttempts, timeoutMs, liveKey, fingerprint, requestKey } = record;
  return {
    token,
    dispatch: ONLY_DISPATCH,
    payload,
    attempts,
    maxAttempts,
    timeoutMs,
    sequence,
    hasOwnKey: undefined,
    fresh: starts === 1,
    cancelRequested: false,
    ordered: false,
    startedAt,
    claim: { liveKey, fingerprint, requestKey },
    ...toIdentity(tier, jobId, record),
  };
}

function toRecord(
  tier: Tier,
  jobId: string,
  record: VolatileRecord,
  state: Pick<JobRecord, 'status' | 'attempts' | 'sequence' | 'startedAt'>,
): JobRecord {
  return {
    dispatch: ONLY_DISPATCH,
    result: null,
    error: null,
    finishedAt: undefined,
    ...state,
    ...toIdentity(tier, jobId, record),
  };
}

function toIdentity(tier: Tier, jobId: string, record: VolatileRecord): JobIdentity {
  return {
    jobId,
    tier,
    type: record.type,
    idempotencyKey: record.idempotencyKey,
    requestId: record.requestId,
    source: record.source,
    correlationId: record.correlationId ?? undefined,
    traceparent: record.traceparent ?? undefined,
    generation: ONLY_GENERATION,
    acceptedAt: new Date(record.acceptedAt),
  };
}

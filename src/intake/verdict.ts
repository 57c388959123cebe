import type { Claim } from '../jobs/claim';
import type { StandingJob } from '../jobs/conflicts';
import type { JobRecord } from '../jobs/job';
import type { QueuedJob } from '../queues/ref';
import type { IntakeAnswer, RejectionCode, Rejection } from './request';

/** Why a claim found no place. */
export type Verdict =
  | { kind: 'redelivered'; jobId: string; redispatch: QueuedJob[] }
  | { kind: 'duplicate'; job: JobRecord }
  | { kind: 'rejected'; code: RejectionCode; problems: Rejection['problems']; jobId: string | undefined }
  /** Whoever was in the way has let go of the key. */
  | { kind: 'released' };

/** What was found in the way of the claims, under locks. */
export interface Standing {
  /** Jobs that hold a key or came from a request of the same identity, and those that earlier requests followed. */
  jobs: StandingJob[];
  /** Requests that were answered as duplicates before: identity → job. */
  followed: Map<string, string>;
  /** Requests that were refused before, with the same bytes. */
  refused: Map<string, { code: string; problems: Rejection['problems']; jobId: string | undefined }>;
}

/** What of a claim decides about it. */
export type JudgedBy = Pick<Claim, 'requestKey' | 'rejectionKey' | 'liveKey' | 'fingerprint' | 'priority' | 'delayMs'>;

export function judge(claim: JudgedBy, { jobs, followed, refused }: Standing): Verdict {
  const followedId = followed.get(claim.requestKey);
  const same = jobs.find((job) => job.requestKey === claim.requestKey || job.jobId === followedId);
  if (same) return judgeSameRequest(claim, same, followedId !== undefined);
  const earlier = claim.rejectionKey === undefined ? undefined : refused.get(claim.rejectionKey);
  if (earlier) return { ...earlier, kind: 'rejected', code: asCode(earlier.code) };
  const holder = jobs.find((job) => job.liveKey === claim.liveKey);
  if (!holder) return { kind: 'released' };
  if (holder.fingerprint === claim.fingerprint) return { kind: 'duplicate', job: holder };
  const problems = [{ path: 'data.idempotencyKey', message: 'is held by a job with another payload' }];
  return { kind: 'rejected', code: 'IDEMPOTENCY_CONFLICT', problems, jobId: holder.jobId };
}

export function toAnswer(verdict: Exclude<Verdict, { kind: 'released' }>): IntakeAnswer {
  if (verdict.kind === 'duplicate') return { kind: 'duplicate', jobId: verdict.job.jobId };
  if (verdict.kind === 'redelivered') return { kind: 'redelivered', jobId: verdict.jobId };
  return verdict;
}

function judgeSameRequest(claim: JudgedBy, job: StandingJob, follows: boolean): Verdict {
  if (job.fingerprint !== claim.fingerprint) {
    const problems = [{ path: 'id', message: 'belongs to a request with another payload' }];
    return { kind: 'rejected', code: 'REQUEST_ID_REUSED', problems, jobId: job.jobId };
  }
  return { kind: 'redelivered', jobId: job.jobId, redispatch: follows ? [] : redispatchOf(job, claim) };
}

/** Redis ignores what it still holds, and gets back what a crash kept from it. */
function redispatchOf(job: StandingJob, claim: JudgedBy): QueuedJob[] {
  if (job.status !== 'pending' || !job.queued) return [];
  const { jobId, generation, dispatch, type } = job;
  return [{ jobId, generation, dispatch, type, priority: claim.priority, delayMs: claim.delayMs }];
}

/** Dead letters of sound requests have one of these codes; an unknown one is of a later version of this service. */
function asCode(code: string): RejectionCode {
  return code === 'REQUEST_ID_REUSED' || code === 'NOT_STORABLE' ? code : 'IDEMPOTENCY_CONFLICT';
}

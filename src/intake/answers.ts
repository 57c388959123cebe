import type { Claim } from '../jobs/claim';
import type { DeadLetter } from '../jobs/dead-letters';
import type { Follower } from '../jobs/followers';
import { isTerminal, type JobRecord } from '../jobs/job';
import { duplicateOutcome } from '../jobs/outcomes';
import type { OutboxMessage } from '../outbox/rows';
import type { Transaction } from '../platform/postgres/database';
import { deadLetterOf, rejectedOutcome } from './rejections';
import type { IntakeRequest, Offer, Rejection, RejectionCode } from './request';
import type { Verdict } from './verdict';

/** A request with the job that it would become. */
export interface Candidate {
  offer: Offer;
  claim: Claim;
}

export interface Judged extends Candidate {
  verdict: Verdict;
}

/** What is written when a request becomes no job of its own. */
export interface AnswerSteps {
  transaction: <Value>(work: (tx: Transaction) => Promise<Value>) => Promise<Value>;
  addFollowers: (tx: Transaction, followers: (Follower & { answered: boolean })[]) => Promise<void>;
  recordDeadLetters: (tx: Transaction, letters: DeadLetter[]) => Promise<Set<string>>;
  append: (tx: Transaction, messages: OutboxMessage[]) => Promise<void>;
  /** Tells the relay, after the commit. */
  signal: () => void;
}

/** Writes the answers to duplicates and to refused requests, as part of the caller's transaction. */
export async function writeAnswers(steps: AnswerSteps, tx: Transaction, judged: Judged[]): Promise<void> {
  const now = new Date();
  const duplicates = judged.flatMap(({ claim, verdict }) =>
    verdict.kind === 'duplicate' ? [{ job: verdict.job, follower: toFollower(claim, verdict.job) }] : [],
  );
  await steps.addFollowers(
    tx,
    duplicates.map(({ job, follower }) => ({ ...follower, answered: isTerminal(job.status) })),
  );
  await steps.append(
    tx,
    duplicates.map(({ job, follower }) => duplicateOutcome(job, follower, job, 'first', now)),
  );
  await writeRejections(
    steps,
    tx,
    judged.flatMap(({ offer: { request, body }, claim, verdict }) =>
      verdict.kind === 'rejected' && body
        ? [toRejection(request, body, claim, verdict.code, verdict.problems, verdict.jobId)]
        : [],
    ),
  );
}

/** Dead letter and outcome of each; what was refused before is only counted. */
export async function writeRejections(
  steps: Pick<AnswerSteps, 'recordDeadLetters' | 'append'>,
  tx: Transaction,
  rejections: Rejection[],
): Promise<void> {
  if (rejections.length === 0) return;
  const now = new Date();
  const letters = rejections.map(deadLetterOf);
  const isNew = await steps.recordDeadLetters(tx, letters);
  const fresh = rejections.filter((_, index) => isNew.has(letters[index]?.dedupeKey ?? ''));
  await steps.append(
    tx,
    fresh.map((rejection) => rejectedOutcome(rejection, now)),
  );
}

export function toRejection(
  request: IntakeRequest,
  body: Buffer,
  claim: Pick<Claim, 'idempotencyKey'> | undefined,
  code: RejectionCode,
  problems: Rejection['problems'],
  jobId?: string,
): Rejection {
  return {
    code,
    problems,
    origin: request.type.queue,
    type: request.type.name,
    requestId: request.requestId,
    source: request.source,
    correlationId: request.correlationId,
    traceparent: request.traceparent,
    idempotencyKey: claim?.idempotencyKey,
    requestKey: request.requestKey,
    jobId,
    body,
  };
}

function toFollower(claim: Claim, job: JobRecord): Follower {
  const { requestKey, requestId, source, correlationId, traceparent } = claim;
  return { jobId: job.jobId, requestKey, requestId, source, correlationId, traceparent };
}

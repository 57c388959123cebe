import type { Claim } from '../jobs/claim';
import type { StandingJob } from '../jobs/conflicts';
import type { ClaimedJobs } from '../jobs/ordered-claims';
import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import type { Transaction } from '../platform/postgres/database';
import { isRetryableConflict, isRefusal } from '../platform/postgres/errors';
import type { QueuedJob } from '../queues/ref';
import { toRejection, writeAnswers, writeRejections, type AnswerSteps, type Candidate } from './answers';
import { firstDispatch, toClaim, type ClaimRules } from './claims';
import type { IntakeAnswer, Offer } from './request';
import { claimInRounds, type Answers } from './rounds';
import { judge, toAnswer, type Standing, type Verdict } from './verdict';

export interface MoneyClaimSteps extends AnswerSteps {
  /** Inserts the claims; answers with those that are jobs now. */
  claim: (claims: Claim[]) => Promise<ClaimedJobs>;
  enqueue: (jobs: QueuedJob[]) => Promise<void>;
  markNotQueued: (jobIds: string[]) => Promise<void>;
  /** Whether Redis may hold `count` more jobs, or they shall wait in PostgreSQL. */
  takeRoom: (count: number) => boolean;
  lockStanding: (
    tx: Transaction,
    requestKeys: string[],
    liveKeys: string[],
    jobIds: string[],
  ) => Promise<StandingJob[]>;
  readFollowed: (tx: Transaction, requestKeys: string[]) => Promise<Map<string, string>>;
  readRefusals: (tx: Transaction, rejectionKeys: string[]) => Promise<Standing['refused']>;
}

/**
 * Money requests to jobs: PostgreSQL first, then Redis.
 *
 * What may crash where: before the claim commits, nothing happened. Between claim and enqueue the job waits in PostgreSQL;
 * the broker brings the message again and the same identity enqueues it, or the reconciler does. Between enqueue and
 * acknowledgement the message comes again and is found to be the same request.
 */
export class MoneyClaims {
  constructor(
    private readonly steps: MoneyClaimSteps,
    private readonly rules: ClaimRules,
    private readonly log: Logger,
  ) {}

  /** Answers each offer, in order. @throws when PostgreSQL cannot be used; then nothing may be acknowledged */
  async accept(offers: Offer[]): Promise<IntakeAnswer[]> {
    const room = this.steps.takeRoom(offers.length);
    const candidates = offers.map((offer) => ({ offer, claim: toClaim(offer, this.rules, room) }));
    return claimInRounds(candidates, (open, answers) => this.claimRound(open, answers));
  }

  /** Claims what it can; answers with the candidates that must be claimed again. */
  private async claimRound(candidates: Candidate[], answers: Answers): Promise<Candidate[]> {
    const { jobIds, waiting, refused } = await this.claimAll(candidates);
    const created = candidates.filter(({ claim }) => jobIds.has(claim.jobId));
    for (const { claim } of created) answers.set(claim, { kind: 'created', jobId: claim.jobId });
    const ready = created.filter(({ claim }) => claim.queued && !waiting.has(claim.jobId));
    await this.enqueue(ready.map(({ claim }) => firstDispatch(claim)));
    for (const candidate of refused) answers.set(candidate.claim, await this.refuse(candidate));
    const contested = candidates.filter(({ claim }) => !answers.has(claim));
    return contested.length === 0 ? [] : this.answerContested(contested, answers);
  }

  /** A statement that PostgreSQL refuses for one of its rows is run row by row: neighbours are not harmed. */
  private async claimAll(candidates: Candidate[]): Promise<ClaimedJobs & { refused: Candidate[] }> {
    try {
      return { ...(await this.claimRetrying(candidates)), refused: [] };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (candidates.length === 1) return { jobIds: new Set(), waiting: new Set(), refused: candidates };
      this.log.warn('claiming row by row', { jobs: candidates.length, error: describeError(error) });
    }
    const jobIds = new Set<string>();
    const waiting = new Set<string>();
    const refused: Candidate[] = [];
    for (const candidate of candidates) {
      const one = await this.claimAll([candidate]);
      for (const id of one.jobIds) jobIds.add(id);
      for (const id of one.waiting) waiting.add(id);
      refused.push(...one.refused);
    }
    return { jobIds, waiting, refused };
  }

  private async claimRetrying(candidates: Candidate[], tries = 5): Promise<ClaimedJobs> {
    try {
      return await this.steps.claim(candidates.map(({ claim }) => claim));
    } catch (error) {
      if (tries > 1 && isRetryableConflict(error)) return this.claimRetrying(candidates, tries - 1);
      throw error;
    }
  }

  /** Without Redis the jobs stay claimed, and are fed when it is back: the answer is success all the same. */
  private async enqueue(jobs: QueuedJob[]): Promise<void> {
    if (jobs.length === 0) return;
    try {
      await this.steps.enqueue(jobs);
    } catch (error) {
      this.log.warn('jobs stay in PostgreSQL', { jobs: jobs.length, error: describeError(error) });
      const ids = jobs.map((job) => job.jobId);
      // If this fails too, the reconciler finds them when they are overdue.
      await this.steps
        .markNotQueued(ids)
        .catch((failure: unknown) => this.log.warn('jobs not marked', { error: describeError(failure) }));
    }
  }

  private async refuse({ offer: { request, body }, claim }: Candidate): Promise<IntakeAnswer> {
    const problems = [{ path: 'data', message: 'cannot be stored' }];
    if (body) {
      const rejection = toRejection(request, body, claim, 'NOT_STORABLE', problems);
      await this.steps.transaction((tx) => writeRejections(this.steps, tx, [rejection]));
      this.steps.signal();
    }
    return { kind: 'rejected', code: 'NOT_STORABLE', problems, jobId: undefined };
  }

  /** Explains why claims found no place, and answers them, under the locks of the jobs that were in their way. */
  private async answerContested(contested: Candidate[], answers: Answers): Promise<Candidate[]> {
    const judged = await this.steps.transaction(async (tx) => {
      const standing = await this.findStanding(
        tx,
        contested.map(({ claim }) => claim),
      );
      const verdicts = contested.map((candidate) => ({
        ...candidate,
        verdict: unlessElsewhere(candidate.claim, standing, judge(candidate.claim, standing)),
      }));
      await writeAnswers(this.steps, tx, verdicts);
      return verdicts;
    });
    this.steps.signal();
    await this.enqueue(judged.flatMap(({ verdict }) => (verdict.kind === 'redelivered' ? verdict.redispatch : [])));
    for (const { claim, verdict } of judged) {
      if (verdict.kind !== 'released') answers.set(claim, toAnswer(verdict));
    }
    return contested.filter(({ claim }) => !answers.has(claim));
  }

  /** Everything that may be in the way of these claims. The rows of the jobs stay locked until the transaction ends. */
  private async findStanding(tx: Transaction, claims: Claim[]): Promise<Standing> {
    const requestKeys = claims.map((claim) => claim.requestKey);
    const followed = await this.steps.readFollowed(tx, requestKeys);
    const refused = await this.steps.readRefusals(
      tx,
      claims.flatMap(({ rejectionKey }) => rejectionKey ?? []),
    );
    const liveKeys = claims.map((claim) => claim.liveKey);
    const jobs = await this.steps.lockStanding(tx, requestKeys, liveKeys, [...followed.values()]);
    return { jobs, followed, refused };
  }
}

/** An identity that was answered for a job of another tier is not one to claim again and again. */
function unlessElsewhere(claim: Claim, { followed }: Standing, verdict: Verdict): Verdict {
  const jobId = followed.get(claim.requestKey);
  if (verdict.kind !== 'released' || jobId === undefined) return verdict;
  const problems = [{ path: 'id', message: 'belongs to a request for another job' }];
  return { kind: 'rejected', code: 'REQUEST_ID_REUSED', problems, jobId };
}

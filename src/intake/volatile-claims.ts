import type { LowerTier } from '../contract/names';
import type { Claim } from '../jobs/claim';
import type { StandingJob } from '../jobs/conflicts';
import type { OpenJob } from '../jobs/volatile/record';
import type { ClaimedJob } from '../jobs/volatile/store';
import type { QueuedJob } from '../queues/ref';
import { writeAnswers, type AnswerSteps, type Candidate } from './answers';
import { firstDispatch, toClaim } from './claims';
import type { IntakeAnswer, Offer } from './request';
import { claimInRounds, type Answers } from './rounds';
import { TierUnavailableError } from './tier-unavailable';
import { judge, toAnswer, type Standing, type Verdict } from './verdict';

export interface VolatileClaimSteps extends AnswerSteps {
  /** For each claim: undefined when it is an open job now, else the open job that stands in its way. */
  claim: (claims: Claim[]) => Promise<(OpenJob | undefined)[]>;
  release: (claims: Claim[]) => Promise<void>;
  forget: (jobs: OpenJob[]) => Promise<void>;
  enqueue: (jobs: QueuedJob[]) => Promise<void>;
  /** Answers for each whether it was still remembered. */
  prolong: (jobs: ClaimedJob[]) => Promise<boolean[]>;
  /** Whether the tier's Redis may hold `count` more jobs. */
  takeRoom: (count: number) => boolean;
  readFollowed: (requestKeys: string[]) => Promise<Map<string, string>>;
  readRefusals: (rejectionKeys: string[]) => Promise<Standing['refused']>;
  readFinished: (wanted: { requestKeys: string[]; liveKeys: string[]; jobIds: string[] }) => Promise<StandingJob[]>;
  countAccepted: (count: number) => Promise<void>;
}

/** A claim with the open job that it met. */
interface Met extends Candidate {
  open: OpenJob | undefined;
}

/**
 * Requests of a lower tier to jobs: claimed in the tier's own Redis, then compared with what PostgreSQL remembers of jobs
 * that have ended, in this order: an end is committed before Redis forgets the job, so one of the two knows it.
 *
 * What may crash where: before the job is in the queue its claim lives a minute, and whoever asks for the same meanwhile
 * puts the same job into the queue. Afterwards the message comes again and is found to be the same request.
 */
export class VolatileClaims {
  constructor(
    private readonly tier: LowerTier,
    private readonly steps: VolatileClaimSteps,
    private readonly keySecret: string,
  ) {}

  /** Answers each offer, in order. @throws TierUnavailableError, or when PostgreSQL cannot be used */
  async accept(offers: Offer[]): Promise<IntakeAnswer[]> {
    if (!this.steps.takeRoom(offers.length)) throw new TierUnavailableError(this.tier, 'its window is full');
    const candidates = offers.map((offer) => ({ offer, claim: toClaim(offer, this.keySecret, true) }));
    return claimInRounds(candidates, (open, answers) => this.claimRound(open, answers));
  }

  /** Claims what it can; answers with the candidates that must be claimed again. */
  private async claimRound(candidates: Candidate[], answers: Answers): Promise<Candidate[]> {
    const found = await this.inRedis(() => this.steps.claim(candidates.map(({ claim }) => claim)));
    const met: Met[] = candidates.map((candidate, index) => ({ ...candidate, open: found[index] }));
    const { standing, ended } = await this.findStanding(met);
    const judged = met.map((one) => ({ ...one, verdict: judge(one.claim, withoutItself(standing, one)) }));
    const created = judged.filter(({ open, verdict }) => !open && verdict.kind === 'released');
    const overruled = judged.flatMap(({ open, claim, verdict }) =>
      open || verdict.kind === 'released' ? [] : [claim],
    );
    const takenBack = new Set(overruled.map(({ jobId }) => jobId));
    // What others of the batch were told of a claim that is taken back is no answer: they claim again.
    const settled = judged.filter(
      ({ verdict }) => verdict.kind !== 'released' && !takenBack.has(namedBy(verdict) ?? ''),
    );

    await this.inRedis(async () => {
      await this.steps.release(overruled);
      await this.steps.forget(ended);
      await this.enqueue(
        created,
        settled.flatMap(({ open, claim, verdict }) =>
          open && namedBy(verdict) === open.jobId ? [{ claim, open }] : [],
        ),
      );
    });
    if (created.length > 0) await this.steps.countAccepted(created.length);
    if (settled.length > 0) {
      await this.steps.transaction((tx) => writeAnswers(this.steps, tx, settled));
      this.steps.signal();
    }
    for (const { claim } of created) answers.set(claim, { kind: 'created', jobId: claim.jobId });
    for (const { claim, verdict } of settled) {
      if (verdict.kind !== 'released') answers.set(claim, toAnswer(verdict));
    }
    return candidates.filter(({ claim }) => !answers.has(claim));
  }

  /**
   * What is in the way of the claims. `ended` are those that Redis holds as open and PostgreSQL knows better about: they
   * have ended, or they are claims that it would have overruled, had their process lived to ask.
   */
  private async findStanding(met: Met[]): Promise<{ standing: Standing; ended: OpenJob[] }> {
    const claims = met.map(({ claim }) => claim);
    const open = uniqueById(met.flatMap((one) => one.open ?? []));
    const requestKeys = [...claims, ...open].map(({ requestKey }) => requestKey);
    const [followed, refused] = await Promise.all([
      this.steps.readFollowed(requestKeys),
      this.steps.readRefusals(claims.flatMap(({ rejectionKey }) => rejectionKey ?? [])),
    ]);
    const finished = await this.steps.readFinished({
      requestKeys,
      liveKeys: [...claims, ...open].map(({ liveKey }) => liveKey),
      jobIds: [...followed.values(), ...open.map(({ jobId }) => jobId)],
    });
    const wasRefused = new Set(
      claims.flatMap(({ requestKey, rejectionKey }) => (refused.has(rejectionKey ?? '') ? [requestKey] : [])),
    );
    const ended = open.filter(
      (job) =>
        finished.some(({ jobId }) => jobId === job.jobId) ||
        (isMereClaim(job) &&
          (followed.has(job.requestKey) ||
            wasRefused.has(job.requestKey) ||
            finished.some((one) => isInTheWay(one, job)))),
    );
    const stillOpen = open.filter((job) => !ended.includes(job));
    return { standing: { jobs: [...finished, ...stillOpen], followed, refused }, ended };
  }

  /**
   * The new jobs, and once more those that were asked for again: whoever claimed them may not have come so far. All of
   * them must be remembered from here on; one whose minute had passed meanwhile would be acknowledged and lost.
   */
  private async enqueue(created: Candidate[], again: { claim: Claim; open: OpenJob }[]): Promise<void> {
    const waiting = again.filter(({ open }) => open.status === 'pending');
    await this.steps.enqueue([
      ...created.map(({ claim }) => firstDispatch(claim)),
      ...waiting.map(({ claim, open }) => ({ ...firstDispatch(claim), jobId: open.jobId, delayMs: 0 })),
    ]);
    const jobs = [
      ...created.map(({ claim }) => claim),
      ...again.map(({ claim, open }) => ({ ...open, delayMs: claim.delayMs })),
    ];
    const remembered = await this.steps.prolong(jobs);
    const gone = jobs.filter((_, index) => !remembered[index]).map(({ jobId }) => jobId);
    if (gone.length > 0) await this.expectEnded([...new Set(gone)]);
  }

  /** A quick job may have ended by now; whatever else is gone was not remembered long enough. */
  private async expectEnded(jobIds: string[]): Promise<void> {
    const ended = await this.steps.readFinished({ requestKeys: [], liveKeys: [], jobIds });
    if (ended.length < jobIds.length) throw new Error('a claim had expired before its job was in the queue');
  }

  private async inRedis<Value>(work: () => Promise<Value>): Promise<Value> {
    try {
      return await work();
    } catch (error) {
      throw new TierUnavailableError(this.tier, 'its Redis does not answer as it should', { cause: error });
    }
  }
}

function uniqueById(jobs: OpenJob[]): OpenJob[] {
  return [...new Map(jobs.map((job) => [job.jobId, job])).values()];
}

/** Whoever claimed it has not put it into the queue, so that nobody was told that it is a job. */
function isMereClaim({ status, queued }: OpenJob): boolean {
  return status === 'pending' && !queued;
}

function isInTheWay(finished: StandingJob, { requestKey, liveKey }: OpenJob): boolean {
  return finished.requestKey === requestKey || finished.liveKey === liveKey;
}

/** A claim that others of its batch ran into must not run into itself. */
function withoutItself(standing: Standing, { claim }: Met): Standing {
  return { ...standing, jobs: standing.jobs.filter(({ jobId }) => jobId !== claim.jobId) };
}

/** The job that a verdict rests on. */
function namedBy(verdict: Verdict): string | undefined {
  if (verdict.kind === 'duplicate') return verdict.job.jobId;
  return verdict.kind === 'released' ? undefined : verdict.jobId;
}

import type { LowerTier } from '../contract/names';
import type { Claim } from '../jobs/claim';
import type { StandingJob } from '../jobs/conflicts';
import type { Book } from '../jobs/volatile/books';
import type { OpenJob } from '../jobs/volatile/record';
import type { QueuedJob } from '../queues/ref';
import { writeAnswers, type AnswerSteps, type Candidate } from './answers';
import { firstDispatch, toClaim, type ClaimRules } from './claims';
import type { IntakeAnswer, Offer } from './request';
import { claimInRounds, type Answers } from './rounds';
import { TierUnavailableError } from './tier-unavailable';
import { judge, toAnswer, type Standing, type Verdict } from './verdict';

export interface VolatileClaimSteps extends AnswerSteps {
  /** For each claim: undefined when it is an open job now, else the open job that stands in its way. */
  claim: (claims: Claim[]) => Promise<(OpenJob | undefined)[]>;
  /** Makes claims into jobs, whoever made them. Answers for each whether it was still there. */
  confirm: (jobs: { jobId: string }[]) => Promise<boolean[]>;
  /** Takes claims back, and answers for each whether it did: one that somebody has confirmed is, or was, a job. */
  release: (claims: (Claim | OpenJob)[]) => Promise<boolean[]>;
  forget: (jobs: OpenJob[]) => Promise<unknown>;
  enqueue: (jobs: QueuedJob[]) => Promise<void>;
  /** Counts those that are new in the queue. Answers for each whether it was still remembered, and with the count. */
  prolong: (jobs: { jobId: string }[]) => Promise<{ remembered: boolean[]; books: Book[] }>;
  /** Why the tier takes nothing now; undefined when it does. */
  problem: () => string | undefined;
  /** Takes the room for `count` more jobs, of which there is some left. */
  takeRoom: (count: number) => void;
  readFollowed: (requestKeys: string[]) => Promise<Map<string, string>>;
  readRefusals: (rejectionKeys: string[]) => Promise<Standing['refused']>;
  readFinished: (wanted: { requestKeys: string[]; liveKeys: string[]; jobIds: string[] }) => Promise<StandingJob[]>;
  noteAccepted: (books: Book[]) => Promise<void>;
}

/** A claim with the open job that it met. */
interface Met extends Candidate {
  open: OpenJob | undefined;
}

type JudgedClaim = Met & { verdict: Verdict };

/** What is in the way of claims, and what only seems to be. */
interface Found {
  standing: Standing;
  /** Redis holds them as open, and PostgreSQL knows that they have ended. */
  ended: OpenJob[];
  /** Claims that PostgreSQL would have overruled, had their process lived to ask. */
  overruled: OpenJob[];
}

/**
 * Requests of a lower tier to jobs: claimed in the tier's own Redis, then compared with what PostgreSQL remembers of jobs
 * that have ended, in this order: an end is committed before Redis forgets the job, so one of the two knows it. A claim
 * that nothing is in the way of is confirmed, and only then queued, or told of to anybody. Whoever meets a claim that is
 * not confirmed judges it as its own process would, and confirms it or takes it back: the first one decides for both.
 *
 * What may crash where: before the job is in the queue its claim lives a minute, and whoever asks for the same meanwhile
 * puts the same job into the queue. Afterwards the message comes again and is found to be the same request.
 */
export class VolatileClaims {
  constructor(
    private readonly tier: LowerTier,
    private readonly steps: VolatileClaimSteps,
    private readonly rules: ClaimRules,
  ) {}

  /** Answers each offer, in order. @throws TierUnavailableError, or when PostgreSQL cannot be used */
  async accept(offers: Offer[]): Promise<IntakeAnswer[]> {
    const problem = this.steps.problem();
    if (problem !== undefined) throw new TierUnavailableError(this.tier, problem);
    this.steps.takeRoom(offers.length);
    const candidates = offers.map((offer) => ({ offer, claim: toClaim(offer, this.rules, true) }));
    return claimInRounds(candidates, (open, answers) => this.claimRound(open, answers));
  }

  /** Claims what it can; answers with the candidates that must be claimed again. */
  private async claimRound(candidates: Candidate[], answers: Answers): Promise<Candidate[]> {
    const found = await this.inRedis(() => this.steps.claim(candidates.map(({ claim }) => claim)));
    const met: Met[] = candidates.map((candidate, index) => ({ ...candidate, open: found[index] }));
    const { standing, ended, overruled } = await this.findStanding(met);
    const judged = met.map((one) => ({ ...one, verdict: judge(one.claim, withoutItself(standing, one)) }));
    const certain = await this.decideClaims(judged);
    await this.inRedis(() => this.steps.forget(ended));
    await this.inRedis(() => this.steps.release(overruled));
    const created = certain.filter(({ verdict }) => verdict.kind === 'released');
    const settled = certain.filter(({ verdict }) => verdict.kind !== 'released');
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
   * Takes back what was overruled, and confirms and queues what is a job. Answers with those that may be told so; for
   * the others somebody else has decided otherwise meanwhile, and they claim again.
   */
  private async decideClaims(judged: JudgedClaim[]): Promise<JudgedClaim[]> {
    const takenBack = await this.takeBack(
      judged.flatMap(({ open, claim, verdict }) => (open || verdict.kind === 'released' ? [] : [claim])),
    );
    const created = judged.filter(({ open, verdict }) => !open && verdict.kind === 'released');
    const again = judged.flatMap(({ open, claim, verdict }) =>
      open && namedBy(verdict) === open.jobId ? [{ claim, open }] : [],
    );
    const confirmed = await this.confirm([...created.map(({ claim }) => claim), ...again.map(({ open }) => open)]);
    await this.enqueue(
      created.filter(({ claim }) => confirmed.has(claim.jobId)),
      again.filter(({ open }) => confirmed.has(open.jobId)),
    );

    // What Redis holds as open is certain once it is confirmed; what has ended is certain anyhow.
    const openIds = new Set(judged.map(({ claim, open }) => (open ?? claim).jobId));
    const isCertain = (jobId = '') => confirmed.has(jobId) || !openIds.has(jobId);
    return judged.filter(({ open, claim, verdict }) => {
      if (verdict.kind === 'released') return !open && confirmed.has(claim.jobId);
      return (open !== undefined || takenBack.has(claim.jobId)) && isCertain(namedBy(verdict));
    });
  }

  private async takeBack(claims: Claim[]): Promise<Set<string>> {
    const taken = await this.inRedis(() => this.steps.release(claims));
    return new Set(claims.filter((_, index) => taken[index]).map(({ jobId }) => jobId));
  }

  /** Answers with those that are jobs now. */
  private async confirm(jobs: { jobId: string }[]): Promise<Set<string>> {
    const there = await this.inRedis(() => this.steps.confirm(jobs));
    return new Set(jobs.filter((_, index) => there[index]).map(({ jobId }) => jobId));
  }

  private async findStanding(met: Met[]): Promise<Found> {
    const claims = met.map(({ claim }) => claim);
    const open = uniqueById(met.flatMap((one) => one.open ?? []));
    const requestKeys = [...claims, ...open].map(({ requestKey }) => requestKey);
    const [followed, refused] = await Promise.all([
      this.steps.readFollowed(requestKeys),
      this.steps.readRefusals([...claims, ...open].flatMap(({ rejectionKey }) => rejectionKey ?? [])),
    ]);
    const finished = await this.steps.readFinished({
      requestKeys,
      liveKeys: [...claims, ...open].map(({ liveKey }) => liveKey),
      jobIds: [...followed.values(), ...open.map(({ jobId }) => jobId)],
    });
    const hasEnded = new Set(finished.map(({ jobId }) => jobId));
    const ended = open.filter(({ jobId }) => hasEnded.has(jobId));
    const overruled = open.filter(
      (job) => !job.confirmed && !hasEnded.has(job.jobId) && isOverruled(job, { jobs: finished, followed, refused }),
    );
    const stillOpen = open.filter((job) => !ended.includes(job) && !overruled.includes(job));
    return { standing: { jobs: [...finished, ...stillOpen], followed, refused }, ended, overruled };
  }

  /**
   * The new jobs, and once more those that were asked for again: whoever claimed them may not have come so far. All of
   * them must be remembered from here on; one whose minute had passed meanwhile would be acknowledged and lost.
   */
  private async enqueue(created: Candidate[], again: { claim: Claim; open: OpenJob }[]): Promise<void> {
    const waiting = again.filter(({ open }) => open.status === 'pending');
    await this.inRedis(() =>
      this.steps.enqueue([
        ...created.map(({ claim }) => firstDispatch(claim)),
        ...waiting.map(({ claim, open }) => ({ ...firstDispatch(claim), jobId: open.jobId, delayMs: 0 })),
      ]),
    );
    const jobs = [...created.map(({ claim }) => claim), ...again.map(({ open }) => open)];
    const { remembered, books } = await this.inRedis(() => this.steps.prolong(jobs));
    await this.steps.noteAccepted(books);
    const gone = jobs.filter((_, index) => !remembered[index]).map(({ jobId }) => jobId);
    if (gone.length > 0) await this.expectEnded([...new Set(gone)]);
  }

  /** A quick job may have ended by now; whatever else is gone was not remembered long enough, and will be claimed again. */
  private async expectEnded(jobIds: string[]): Promise<void> {
    const ended = await this.steps.readFinished({ requestKeys: [], liveKeys: [], jobIds });
    if (ended.length >= jobIds.length) return;
    throw new TierUnavailableError(this.tier, 'a claim was gone before its job was in the queue');
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

/** Whether the process that made a claim would take it back, once it had asked PostgreSQL. */
function isOverruled(claimed: OpenJob, remembered: Standing): boolean {
  return judge({ ...claimed, priority: 0, delayMs: 0 }, remembered).kind !== 'released';
}

/** A claim that others of its batch ran into must not run into itself. */
function withoutItself(standing: Standing, { claim, open }: Met): Standing {
  // One that it met under its own id was confirmed by somebody else, a round ago.
  if (open) return standing;
  return { ...standing, jobs: standing.jobs.filter(({ jobId }) => jobId !== claim.jobId) };
}

/** The job that a verdict rests on. */
function namedBy(verdict: Verdict): string | undefined {
  if (verdict.kind === 'duplicate') return verdict.job.jobId;
  return verdict.kind === 'released' ? undefined : verdict.jobId;
}

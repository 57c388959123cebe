/**
 * The one door: validate → claim → enqueue → answer, for requests from the broker, from HTTP, from schedules and
 * workflows alike. After `accept` has resolved, everything that it answered is durable for its tier and the message may be
 * acknowledged, once what it answered as detoured has been sent on; when it rejects, nothing may be. What may crash where is told by the claims of each tier.
 */
import type { JobType } from '../catalogue/job-type';
import { TIERS, type Tier } from '../contract/names';
import { describeError, type Logger } from '../platform/logger';
import { toRejection, writeRejections, type AnswerSteps } from './answers';
import type { IntakeAnswer, Offer, Rejection } from './request';
import { TierUnavailableError } from './tier-unavailable';

export interface TierClaims {
  /** Answers each offer, in order. @throws when the tier cannot take them; then nothing may be acknowledged */
  accept: (offers: Offer[]) => Promise<IntakeAnswer[]>;
}

export interface IntakeSteps extends Omit<AnswerSteps, 'addFollowers'> {
  /** `kept` says whether a refused one becomes a dead letter. */
  onAnswer: (answer: IntakeAnswer, type: string, kept: boolean) => void;
}

/** Why a deployment cannot run a job of this type with this payload; undefined when it can. */
export type WhyUnavailable = (type: JobType, payload: unknown) => string | undefined;

export class Intake {
  constructor(
    private readonly tiers: Record<Tier, TierClaims>,
    private readonly steps: IntakeSteps,
    private readonly whyUnavailable: WhyUnavailable,
    private readonly log: Logger,
  ) {}

  /** Answers each offer, in order. @throws TierUnavailableError, or when PostgreSQL cannot be used */
  async accept(offers: Offer[]): Promise<IntakeAnswer[]> {
    const answers = new Map<Offer, IntakeAnswer>();
    await this.refuseUnavailable(offers, answers);
    // Money first: what it accepted stays accepted, whatever becomes of the others.
    for (const tier of TIERS) {
      const theirs = offers.filter((offer) => offer.request.type.queue === tier && !answers.has(offer));
      if (theirs.length === 0) continue;
      const answered = await this.acceptIn(tier, theirs);
      theirs.forEach((offer, index) => {
        const answer = answered[index];
        if (answer) answers.set(offer, answer);
      });
    }
    return offers.map((offer) => {
      const answer = answers.get(offer);
      if (!answer) throw new Error('an offer was left without an answer');
      this.steps.onAnswer(answer, offer.request.type.name, offer.body !== undefined);
      return answer;
    });
  }

  /** Refuses messages: dead letter and outcome in one transaction. What was refused before is only counted. */
  async reject(rejections: Rejection[]): Promise<void> {
    await this.write(rejections);
    for (const { code, type, problems, jobId } of rejections) {
      this.steps.onAnswer({ kind: 'rejected', code, problems, jobId }, type ?? 'unknown', true);
    }
  }

  private async acceptIn(tier: Tier, offers: Offer[]): Promise<IntakeAnswer[]> {
    try {
      return await this.tiers[tier].accept(offers);
    } catch (error) {
      if (!(error instanceof TierUnavailableError) || !offers.every(({ mayDetour }) => mayDetour)) throw error;
      this.log.warn('requests take the way round', { queue: tier, jobs: offers.length, error: describeError(error) });
      return offers.map(() => ({ kind: 'detoured' }));
    }
  }

  private async refuseUnavailable(offers: Offer[], answers: Map<Offer, IntakeAnswer>): Promise<void> {
    const refused = offers.flatMap((offer) => {
      const { type, data } = offer.request;
      const reason = this.whyUnavailable(type, data);
      return reason === undefined ? [] : [{ offer, problems: [{ path: 'data.type', message: reason }] }];
    });
    await this.write(
      refused.flatMap(({ offer: { request, body }, problems }) =>
        body ? [toRejection(request, body, undefined, 'TYPE_UNAVAILABLE', problems)] : [],
      ),
    );
    for (const { offer, problems } of refused) {
      answers.set(offer, { kind: 'rejected', code: 'TYPE_UNAVAILABLE', problems, jobId: undefined });
    }
  }

  private async write(rejections: Rejection[]): Promise<void> {
    if (rejections.length === 0) return;
    await this.steps.transaction((tx) => writeRejections(this.steps, tx, rejections));
    this.steps.signal();
  }
}

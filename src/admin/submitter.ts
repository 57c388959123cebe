import { performance } from 'node:perf_hooks';
import type { Tier } from '../contract/names';
import type { IntakeAnswer, IntakeRequest, Offer } from '../intake/request';
import { Batcher } from '../platform/batcher';
import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import { within } from '../platform/time';
import { HttpError } from './errors';

/** Bodies have up to 1 MiB each; all of a batch go to PostgreSQL in one statement. */
const MAX_BATCH = 20;

export interface SubmitSteps {
  accept: (offers: Offer[]) => Promise<IntakeAnswer[]>;
  /** Why a tier takes nothing now; undefined when it does. */
  tierProblem: (tier: Tier) => string | undefined;
}

/** Nothing detours here: whoever asks by HTTP is told, and asks again. */
export type SubmitAnswer = Exclude<IntakeAnswer, { kind: 'detoured' }>;

interface Waiting {
  offer: Offer;
  /** After it the caller has been told that nothing was taken. */
  until: number;
}

/**
 * Requests by HTTP to the one door. Those that arrive while others are being claimed are claimed together, tier by tier:
 * a tier that cannot be used harms no other.
 */
export class Submitter {
  private readonly batchers: Record<Tier, Batcher<Waiting, IntakeAnswer | undefined>>;

  /** @param timeoutMs after which a caller is told that nothing was taken, whatever the servers do */
  constructor(
    private readonly steps: SubmitSteps,
    private readonly timeoutMs: number,
    private readonly log: Logger,
  ) {
    const batcher = () => new Batcher((waiting: Waiting[]) => this.flush(waiting), MAX_BATCH);
    this.batchers = { money: batcher(), communication: batcher(), background: batcher() };
  }

  /**
   * @throws HttpError when nothing is known to have been taken. It may have been all the same when the answer of
   *   PostgreSQL was lost: whoever asks again with the same key is told so, as a duplicate.
   */
  async submit(request: IntakeRequest): Promise<SubmitAnswer> {
    const { queue } = request.type;
    const problem = this.steps.tierProblem(queue);
    if (problem !== undefined) throw new HttpError('QUEUE_UNAVAILABLE', [{ path: '(queue)', message: problem }]);
    const until = performance.now() + this.timeoutMs;
    try {
      const claiming = this.batchers[queue].submit({ offer: { request, body: undefined, mayDetour: false }, until });
      const answer = await within(this.timeoutMs, 'taking a request', claiming);
      if (answer && answer.kind !== 'detoured') return answer;
    } catch (error) {
      this.log.warn('http request not taken', { queue, error: describeError(error) });
    }
    throw new HttpError('QUEUE_UNAVAILABLE');
  }

  /** Nothing is claimed for those who have gone. */
  private async flush(waiting: Waiting[]): Promise<(IntakeAnswer | undefined)[]> {
    const now = performance.now();
    const current = waiting.filter(({ until }) => until > now);
    if (current.length === 0) return waiting.map(() => undefined);
    const answers = await this.steps.accept(current.map(({ offer }) => offer));
    const byEntry = new Map(current.map((entry, index) => [entry, answers[index]]));
    return waiting.map((entry) => byEntry.get(entry));
  }
}

import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import { exponentialBackoffMs, pause, within } from '../platform/time';
import type { Inbox } from './inbox';
import type { Outcome } from './outcome';

/** What a handler gets beside the outcome. */
export interface OutcomeContext<Transaction> {
  /** The inbox's transaction: what is written by it takes effect once. Undefined without an inbox. */
  transaction: Transaction;
  /** Aborted when the handler's time is over: what it does from then on is done beside another try. */
  signal: AbortSignal;
}

/** Handles an outcome; resolved means that it never needs to come again. */
export type OutcomeHandler<Transaction> = (
  outcome: Outcome,
  context: OutcomeContext<Transaction>,
) => Promise<void> | void;

export interface HandlingOptions {
  queue: string;
  /** Tries after which an outcome is parked. */
  maxTries: number;
  /** Milliseconds that one try may take. */
  timeoutMs: number;
}

const RETRY_BASE_MS = 500;
const RETRY_CAP_MS = 60_000;
/** What the inbox may take beyond the handler's time. */
const INBOX_MS = 20_000;

/** Brings one outcome to its end: handled once, or failed so often that a person must look at it. */
export class OutcomeHandling<Transaction> {
  constructor(
    private readonly handler: OutcomeHandler<Transaction>,
    private readonly inbox: Inbox<Transaction>,
    private readonly options: HandlingOptions,
    private readonly log: Logger,
  ) {}

  /** `stopped`: between two tries; the outcome must come again. */
  async handle(outcome: Outcome, stopping: AbortSignal): Promise<'handled' | 'exhausted' | 'stopped'> {
    let failures = 0;
    for (let attempt = 1; !stopping.aborted; attempt += 1) {
      const result = await this.try(outcome);
      if (result === 'handled') return 'handled';
      // A database that is away is nothing that the outcome could be blamed for.
      if (result === 'failed') failures += 1;
      if (failures >= this.options.maxTries) return 'exhausted';
      await pause(exponentialBackoffMs(attempt, RETRY_BASE_MS, RETRY_CAP_MS), stopping);
    }
    return 'stopped';
  }

  private async try(outcome: Outcome): Promise<'handled' | 'failed' | 'not handled'> {
    const ending = new AbortController();
    let failed = false;
    const work = async (transaction: Transaction): Promise<void> => {
      // An inbox that was slow may come to this after it was given up.
      ending.signal.throwIfAborted();
      try {
        await this.run(outcome, { transaction, signal: ending.signal });
      } catch (error) {
        failed = true;
        throw error;
      }
    };
    try {
      const limitMs = this.options.timeoutMs + INBOX_MS;
      await within(limitMs, 'handling an outcome', this.inbox.once(this.options.queue, outcome.id, work));
      return 'handled';
    } catch (error) {
      this.log.warn('outcome not handled', {
        outcomeId: outcome.id,
        jobId: outcome.jobId,
        error: describeError(error),
      });
      return failed ? 'failed' : 'not handled';
    } finally {
      ending.abort();
    }
  }

  /** In a try of its own: a handler may throw before it returns a promise. */
  private async run(outcome: Outcome, context: OutcomeContext<Transaction>): Promise<void> {
    const handled = (async () => this.handler(outcome, context))();
    await within(this.options.timeoutMs, 'the handler', handled);
  }
}

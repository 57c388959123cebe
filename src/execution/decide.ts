import { findJobType } from '../catalogue';
import { retryRuleOf } from '../catalogue/queues';
import type { OutcomeError, OutcomeName } from '../contract/outcome';
import type { HandlerOutcome } from '../handlers/outcome';
import type { StartedJob } from '../jobs/start';
import type { Settlement } from '../jobs/settle';

/** How an attempt ended: by its handler's word, or by what happened to it. */
export type AttemptEnd =
  | HandlerOutcome<unknown>
  /** The handler did not come back in time. */
  | { kind: 'timedOut' }
  /** The process stops; the attempt does not count. */
  | { kind: 'handedBack' }
  /** It did not begin, since the ledger was not read: its start is as if it had not been. */
  | { kind: 'notBegun'; asSuspect: boolean }
  /** The handler threw: a fault in it. */
  | { kind: 'crashed' }
  | { kind: 'expired' }
  | { kind: 'poisonous' }
  /** The database refuses what the handler said. */
  | { kind: 'notStorable' };

/** What the ledger says about the job's effects at the end of the attempt. */
export interface EffectSummary {
  anyUncertain: boolean;
  anyHappened: boolean;
  /** One was tried and certainly did not happen, so that the job cannot have done all that it is for. */
  anyMissing: boolean;
}

/** A settlement with the outcome that it publishes, if it publishes one. */
export interface Decision {
  settlement: Settlement;
  outcome: Exclude<OutcomeName, 'duplicate' | 'rejected'> | undefined;
}

/**
 * Decides what becomes of a job; the only place that does. The rule above all: while an effect may have happened, a
 * money job never ends as failed or cancelled — it is tried again, or it is in doubt. Where no money is at stake nobody
 * is asked to find out: such a job ends as failed, and keeps its key.
 */
export function decide(job: StartedJob, end: AttemptEnd, effects: EffectSummary, now: Date): Decision {
  const ends = new Ends(job, effects, now);
  switch (end.kind) {
    case 'done':
      return ends.completed(end.result);
    case 'retry':
      return ends.retry(end.code, end.message, end.afterMs ?? 0);
    case 'crashed':
      return ends.retry('HANDLER_ERROR', 'the handler failed unexpectedly', 0);
    case 'snooze':
      return ends.pending(end.code, end.afterMs, job.attempts);
    case 'wait':
      return ends.wait(end);
    case 'handedBack':
      return ends.pending('HANDED_BACK', 0, job.attempts);
    case 'notBegun':
      return ends.pending('HANDED_BACK', 0, job.attempts, { suspectStarts: end.asSuspect ? 1 : 0 });
    case 'failed':
      return ends.failed({ code: end.code, message: end.message, replayable: end.replayable }, job.attempts + 1);
    case 'expired':
      return ends.failed(EXPIRED, job.attempts);
    case 'poisonous':
      return ends.gaveUp(POISON, job.attempts);
    case 'notStorable':
      return ends.gaveUp(NOT_STORABLE, job.attempts + 1);
    case 'timedOut':
      return ends.timedOut();
    case 'inDoubt':
      return ends.inDoubt({ code: end.code, message: end.message, replayable: false }, job.attempts + 1);
    case 'attention':
      return ends.attention(end);
    case 'cancelled':
      return ends.cancelled();
  }
}

const EXPIRED: OutcomeError = {
  code: 'EXPIRED',
  message: 'the job had not started when it expired',
  replayable: false,
};
const POISON: OutcomeError = { code: 'POISON', message: 'the job ended its processes three times', replayable: true };
const NOT_STORABLE: OutcomeError = {
  code: 'RESULT_NOT_STORABLE',
  message: 'the database refuses what the handler answered',
  replayable: true,
};
const TIMEOUT: OutcomeError = { code: 'TIMEOUT', message: 'the attempt did not end in time', replayable: true };

/** However late a provider or a search says that we may come again, it is looked at once an hour. */
const MAX_PUT_OFF_MS = 60 * 60 * 1_000;

class Ends {
  constructor(
    private readonly job: StartedJob,
    private readonly effects: EffectSummary,
    private readonly now: Date,
  ) {}

  completed(result: unknown): Decision {
    return this.decision('completed', 'completed', {
      status: 'completed',
      reason: 'DONE',
      result,
      attempts: this.job.attempts + 1,
    });
  }

  retry(code: string, message: string, afterMs: number): Decision {
    const attempts = this.job.attempts + 1;
    if (attempts >= this.job.maxAttempts) {
      return this.gaveUp({ code, message: `${message} (after ${attempts} attempts)`, replayable: true }, attempts);
    }
    const { retry } = findJobType(this.job.type) ?? {};
    const backoffMs = retryRuleOf({ queue: this.job.tier, ...(retry ? { retry } : {}) }).backoffMs(attempts);
    return this.later(code, Math.max(Math.min(afterMs, MAX_PUT_OFF_MS), backoffMs), attempts);
  }

  /** Spends no attempt, however often it is looked at. */
  wait({ code, message, afterMs, withinMs }: Extract<HandlerOutcome<never>, { kind: 'wait' }>): Decision {
    const { startedAt, attempts } = this.job;
    const waitedMs = startedAt === undefined ? 0 : this.now.getTime() - startedAt.getTime();
    if (waitedMs < withinMs) return this.pending(code, afterMs, attempts);
    return this.failed({ code, message, replayable: true }, attempts + 1);
  }

  pending(reason: string, retryInMs: number, attempts: number, takenBack?: Settlement['takenBack']): Decision {
    return this.later(reason, Math.min(retryInMs, MAX_PUT_OFF_MS), attempts, takenBack);
  }

  private later(reason: string, ms: number, attempts: number, takenBack?: Settlement['takenBack']): Decision {
    const retryInMs = Math.ceil(ms);
    return this.decision(undefined, undefined, { status: 'pending', reason, retryInMs, attempts, takenBack });
  }

  /** The job waits for somebody outside. Whoever shows the customer what to do finds it by the provider's id. */
  attention({ code, message, reference, againMs }: Extract<HandlerOutcome<never>, { kind: 'attention' }>): Decision {
    const error = { code, message, replayable: false, details: [{ path: 'reference', message: reference }] };
    return this.decision('attention', undefined, {
      status: 'pending',
      reason: code,
      error,
      retryInMs: againMs,
      attempts: this.job.attempts + 1,
    });
  }

  /**
   * Nothing more is tried. A customer whose effect happened must not be told that it failed: a person looks at it. Where
   * another effect of the job is known to be missing there is no doubt: it failed half way, and a replay does the rest.
   */
  gaveUp(error: OutcomeError, attempts: number): Decision {
    const { anyHappened, anyMissing } = this.effects;
    return anyHappened && !anyMissing ? this.inDoubt(error, attempts) : this.failed(error, attempts);
  }

  failed(error: OutcomeError, attempts: number): Decision {
    return this.effects.anyUncertain ? this.inDoubt(error, attempts) : this.over(error, attempts);
  }

  /** An effect that certainly happened needs no more than another look at the ledger. */
  timedOut(): Decision {
    if (this.effects.anyHappened && !this.effects.anyUncertain) return this.retry(TIMEOUT.code, TIMEOUT.message, 0);
    return this.failed(TIMEOUT, this.job.attempts + 1);
  }

  inDoubt(error: OutcomeError, attempts: number): Decision {
    if (this.job.tier !== 'money') return this.over(error, attempts);
    return this.decision('attention', undefined, {
      status: 'in_doubt',
      reason: error.code,
      error: { ...error, replayable: false },
      attempts,
    });
  }

  cancelled(): Decision {
    if (this.effects.anyUncertain || this.effects.anyHappened)
      return this.retry('CANCEL_TOO_LATE', 'an effect had begun', 0);
    return this.decision('cancelled', 'cancelled', {
      status: 'cancelled',
      reason: 'CANCELLED',
      attempts: this.job.attempts,
      releaseKey: true,
    });
  }

  private over(error: OutcomeError, attempts: number): Decision {
    return this.decision('failed', 'failed', {
      status: 'failed',
      reason: error.code,
      error,
      attempts,
      // A key whose effect happened, or may have, stays held: asking again under it must not make it happen twice.
      releaseKey: !this.effects.anyHappened && !this.effects.anyUncertain,
    });
  }

  private decision(
    outcome: Decision['outcome'],
    terminal: 'completed' | 'failed' | 'cancelled' | undefined,
    settlement: Pick<Settlement, 'status' | 'reason' | 'attempts'> & Partial<Settlement>,
  ): Decision {
    return {
      outcome,
      settlement: {
        jobId: this.job.jobId,
        token: this.job.token,
        result: null,
        error: null,
        retryInMs: 0,
        releaseKey: false,
        sequence: this.job.sequence + (outcome === undefined ? 0 : 1),
        finishedAt: terminal === undefined ? undefined : this.now,
        takenBack: undefined,
        ...settlement,
      },
    };
  }
}

import type { Handler, HandlerContext } from '../handlers/handler';
import type { StartedJob } from '../jobs/start';
import type { Pass } from '../limits/pass';
import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import type { AttemptEnd } from './decide';
import { EffectRunner, type EffectSteps } from './effect-runner';

/** A handler that is told to stop has this long to leave by itself. */
const GRACE_MS = 2_000;

const LEFT_IN_TIME: AttemptEnd = { kind: 'retry', code: 'TIMEOUT', message: 'the attempt did not end in time' };

/** Who is told what happens during an attempt. */
export interface AttemptListener {
  onRepeat: (effect: string) => void;
  onProgress: (percent: number) => void;
}

/** One run of a handler, with its clock, its way out and its effects. */
export class Attempt {
  readonly effects: EffectRunner;
  private readonly abort = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private giveUp: (end: AttemptEnd) => void = () => undefined;
  private told = 0;
  private stoppedBy: 'timeout' | 'drain' | undefined;

  constructor(
    private readonly job: StartedJob,
    steps: EffectSteps,
    pass: Pass,
    private readonly log: Logger,
    private readonly listener: AttemptListener,
  ) {
    this.effects = new EffectRunner(job, steps, {
      signal: this.abort.signal,
      endsAt: performance.now() + job.timeoutMs,
      pass,
      onRepeat: (effect) => this.listener.onRepeat(effect),
    });
  }

  /** Asks the handler to leave because the process stops; the attempt will not count. */
  handBack(): void {
    this.stop('drain');
  }

  async run(handler: Handler): Promise<AttemptEnd> {
    const givenUp = new Promise<AttemptEnd>((resolve) => {
      this.giveUp = resolve;
    });
    // Already told to stop: the clock that runs is the grace.
    if (this.stoppedBy === undefined) this.timer = setTimeout(() => this.stop('timeout'), this.job.timeoutMs);
    try {
      return await Promise.race([this.handle(handler), givenUp]);
    } finally {
      clearTimeout(this.timer);
      this.effects.close();
    }
  }

  private async handle(handler: Handler): Promise<AttemptEnd> {
    const end = await this.callHandler(handler);
    if (end.kind !== 'retry' && end.kind !== 'crashed') return end;
    // Leaving because of the drain is no failure; a handler that finished all the same has finished.
    if (this.stoppedBy === 'drain') return { kind: 'handedBack' };
    // Many libraries obey an abort by throwing.
    if (this.stoppedBy === 'timeout' && end.kind === 'crashed') return LEFT_IN_TIME;
    return end;
  }

  private async callHandler(handler: Handler): Promise<AttemptEnd> {
    const context: HandlerContext = {
      jobId: this.job.jobId,
      source: this.job.source,
      hasOwnKey: this.job.hasOwnKey,
      attempt: this.job.attempts + 1,
      isLastAttempt: this.job.attempts + 1 >= this.job.maxAttempts,
      signal: this.abort.signal,
      log: this.log,
      progress: (percent) => this.tell(percent),
      effects: this.effects,
    };
    try {
      return await handler(this.job.payload, context);
    } catch (error) {
      this.log.error('handler failed', { error: describeError(error) });
      return { kind: 'crashed' };
    }
  }

  /** Every percent once, and never backwards: a handler may say it as often as it likes. */
  private tell(percent: number): void {
    const whole = Math.min(99, Math.floor(percent));
    if (!(whole > this.told)) return;
    this.told = whole;
    this.listener.onProgress(whole);
  }

  /** Tells the handler to leave, and gives it up when it does not. */
  private stop(by: 'timeout' | 'drain'): void {
    if (this.abort.signal.aborted) return;
    this.stoppedBy = by;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.giveUp({ kind: by === 'drain' ? 'handedBack' : 'timedOut' }), GRACE_MS);
    this.abort.abort();
  }
}

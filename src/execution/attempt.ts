import type { Handler, HandlerContext } from '../handlers/handler';
import type { StartedJob } from '../jobs/start';
import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import { pause } from '../platform/time';
import type { AttemptEnd } from './decide';
import { EffectRunner, type EffectSteps } from './effect-runner';

/** A handler that is told to stop has this long to leave by itself. */
const GRACE_MS = 2_000;

/** One run of a handler, with its clock, its way out and its effects. */
export class Attempt {
  readonly effects: EffectRunner;
  private readonly abort = new AbortController();
  private readonly ended = new AbortController();
  private stoppedBy: 'timeout' | 'drain' | undefined;

  constructor(
    private readonly job: StartedJob,
    steps: EffectSteps,
    private readonly log: Logger,
  ) {
    this.effects = new EffectRunner(job, steps, {
      signal: this.abort.signal,
      endsAt: performance.now() + job.timeoutMs,
    });
  }

  /** Asks the handler to leave because the process stops; the attempt will not count. */
  handBack(): void {
    this.stop('drain');
  }

  async run(handler: Handler): Promise<AttemptEnd> {
    try {
      return await Promise.race([this.handle(handler), this.watch()]);
    } finally {
      this.ended.abort();
    }
  }

  private async handle(handler: Handler): Promise<AttemptEnd> {
    const end = await this.callHandler(handler);
    // Leaving because of the drain is no failure; a handler that finished all the same has finished.
    if (this.stoppedBy === 'drain' && (end.kind === 'retry' || end.kind === 'crashed')) return { kind: 'handedBack' };
    return end;
  }

  private async callHandler(handler: Handler): Promise<AttemptEnd> {
    const context: HandlerContext = {
      jobId: this.job.jobId,
      attempt: this.job.attempts + 1,
      signal: this.abort.signal,
      log: this.log,
      effects: this.effects,
    };
    try {
      return await handler(this.job.payload, context);
    } catch (error) {
      this.log.error('handler failed', { error: describeError(error) });
      return { kind: 'crashed' };
    }
  }

  /** Resolves when the handler must be given up: its time is over, and it did not leave within the grace. */
  private async watch(): Promise<AttemptEnd> {
    await pause(this.job.timeoutMs, AbortSignal.any([this.abort.signal, this.ended.signal]));
    if (!this.ended.signal.aborted) this.stop('timeout');
    await pause(GRACE_MS, this.ended.signal);
    return this.stoppedBy === 'drain' ? { kind: 'handedBack' } : { kind: 'timedOut' };
  }

  private stop(by: 'timeout' | 'drain'): void {
    if (this.abort.signal.aborted) return;
    this.stoppedBy = by;
    this.abort.abort();
  }
}

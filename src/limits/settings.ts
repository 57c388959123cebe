import { LIMITERS, type LimiterName } from '../catalogue/limiters';
import { describeError, type Logger } from '../platform/logger';
import { Loop } from '../platform/time';
import { EVERY_LIMITER, type Override } from './overrides';
import type { LimitInForce } from './store';

/** Operators' changes hold everywhere within a second: after one look, and its way to the database. */
const LOOK_EVERY_MS = 500;
/** Whoever has not heard from the operators for so long lets nothing pass: they may have stopped everything. */
const STALE_AFTER_MS = 5_000;

/** An attempt may need so many requests at once, to find out what became of an effect and to ask for it: fewer would never do. */
const LEAST_BURST = 4;

/** The limits in force: those of the catalogue, the rates of the configuration, and over both what an operator has set. */
export class LimitSettings {
  private overrides: ReadonlyMap<string, Override> = new Map();
  private readAt = Number.NEGATIVE_INFINITY;
  private readonly loop: Loop;

  /** @param rates requests per second by the configuration */
  constructor(
    private readonly read: () => Promise<Override[]>,
    private readonly rates: Readonly<Record<LimiterName, number | undefined>>,
    log: Logger,
  ) {
    this.loop = new Loop(
      () => this.refresh(),
      LOOK_EVERY_MS,
      (error) => log.warn('limits not read', { error: describeError(error) }),
    );
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  of(name: LimiterName): LimitInForce {
    const given = LIMITERS[name];
    const set = this.overrides.get(name);
    return {
      perSecond: set?.perSecond ?? this.rates[name] ?? given.perSecond,
      concurrent: set?.concurrent ?? given.concurrent,
      burst: Math.max(LEAST_BURST, set?.burst ?? given.burst),
      cooldownMs: set?.cooldownMs ?? given.cooldownMs,
      stopped: this.isStale || set?.stopped === true || this.overrides.get(EVERY_LIMITER)?.stopped === true,
    };
  }

  async refresh(): Promise<void> {
    const asked = performance.now();
    this.overrides = new Map((await this.read()).map((override) => [override.name, override]));
    this.readAt = asked;
  }

  private get isStale(): boolean {
    return performance.now() - this.readAt > STALE_AFTER_MS;
  }
}

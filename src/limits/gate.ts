/**
 * Who may use a provider's account, and when. Every attempt of a job that does asks here before its start is recorded, and
 * gets a pass, or is told when to come back; whoever waits holds nothing but its place among those who wait.
 *
 * What may crash where: a process that dies with a pass leaves a lease, which expires; one that dies as the probe of an
 * open circuit leaves another one to probe it. A pass whose granting got lost on the way is such a lease from the
 * beginning. While the limiter's Redis is away everybody waits, since nobody can tell who may pass.
 */
import { randomUUID } from 'node:crypto';
import { LIMITER_NAMES, limiterOf, type LimitedUse, type LimiterName } from '../catalogue/limiters';
import { describeError, type Logger } from '../platform/logger';
import type { Metrics } from '../platform/metrics';
import { Loop } from '../platform/time';
import { ProviderCircuit, type Answered, type CircuitOptions } from './circuit';
import { FREE_PASS, type Busy, type Pass } from './pass';
import type { LimitSettings } from './settings';
import type { Applicant, CircuitRules, LimiterStore, Verdict, WaitReason } from './store';

export interface GateOptions {
  /** A pass whose process does not say for so long that it lives is given to others. */
  leaseMs: number;
  circuit: CircuitOptions & CircuitRules;
}

export type GateAnswer = { kind: 'passed'; pass: Pass } | { kind: 'wait'; afterMs: number };

export function gateMetrics(metrics: Metrics) {
  return {
    passes: metrics.counter('rate_limit_passes_total', 'Attempts that were let through to a provider', ['limiter']),
    waits: metrics.counter('rate_limit_waits_total', 'Times that a job was told to come back later', [
      'limiter',
      'reason',
    ]),
    cooldowns: metrics.counter('rate_limit_cooldowns_total', 'Times that a provider said it gets too many requests', [
      'limiter',
    ]),
    trips: metrics.counter('circuit_trips_total', 'Times that this process found a provider to be down', ['provider']),
  };
}

/** About so long waits whoever cannot be told how long. */
const UNREACHABLE_MS = 5_000;
/** A provider that asks for more is asked again after this all the same. */
const MAX_COOLDOWN_MS = 60 * 60 * 1_000;

export class Gate {
  private readonly circuits: Map<LimiterName, ProviderCircuit>;
  private readonly held = new Map<string, LimiterName>();
  private readonly renewing: Loop;
  private unreachable = false;

  constructor(
    private readonly store: LimiterStore,
    private readonly settings: LimitSettings,
    private readonly options: GateOptions,
    private readonly metrics: ReturnType<typeof gateMetrics>,
    private readonly log: Logger,
  ) {
    this.circuits = new Map(LIMITER_NAMES.map((name) => [name, this.createCircuit(name)]));
    this.renewing = new Loop(
      () => this.renew(),
      options.leaseMs / 3,
      (error) => log.warn('passes not renewed', { error: describeError(error) }),
    );
  }

  start(): void {
    this.renewing.start();
  }

  async stop(): Promise<void> {
    await this.renewing.stop();
    for (const circuit of this.circuits.values()) circuit.close();
  }

  /** @param use undefined for a job that uses nobody's account */
  async ask(use: LimitedUse | undefined, applicant: Applicant): Promise<GateAnswer> {
    if (use === undefined) return { kind: 'passed', pass: FREE_PASS };
    const name = limiterOf(use);
    const lease = randomUUID();
    const admission = await this.reach(name, async (circuit) => {
      if (circuit.untold) await this.tell(name, circuit);
      const asked = { id: lease, lifeMs: this.options.leaseMs };
      const answer = await this.store.ask(name, this.settings.of(name), applicant, asked);
      circuit.adopt(answer.circuit);
      return answer;
    });
    if (admission === undefined) return this.sendAway(name, 'unreachable', aroundMs(UNREACHABLE_MS));
    if (admission.kind === 'wait') return this.sendAway(name, admission.reason, admission.afterMs);
    this.held.set(lease, name);
    this.metrics.passes.inc({ limiter: name });
    return { kind: 'passed', pass: this.createPass(name, lease, admission.isProbe) };
  }

  private createPass(name: LimiterName, lease: string, isProbe: boolean): Pass {
    let unsent = 1;
    let verdict: Verdict;
    const reserve = async (requests: number): Promise<number | undefined> => {
      const missing = Math.max(0, requests - unsent);
      const waitMs = missing === 0 ? 0 : await this.payFor(name, lease, missing);
      if (waitMs > 0) return waitMs;
      unsent += missing;
      return undefined;
    };
    return {
      reserve,
      pay: async (requests) => {
        const waitMs = await reserve(requests);
        if (waitMs === undefined) unsent -= requests;
        return waitMs;
      },
      call: async (ask) => {
        const circuit = this.circuitOf(name);
        const answer = await (isProbe ? circuit.probe(ask) : circuit.call(ask));
        if (answer === undefined) return this.busy();
        verdict = judge(verdict, answer);
        return answer.trouble === 'busy' ? { ...answer, retryAfterMs: await this.coolDown(name, answer) } : answer;
      },
      release: async () => {
        if (!this.held.delete(lease)) return;
        await this.reach(name, async (circuit) => {
          const given = { id: lease, unsent, verdict };
          circuit.adopt(await this.store.release(name, this.settings.of(name), given, this.options.circuit));
        });
      },
    };
  }

  private async payFor(name: LimiterName, lease: string, requests: number): Promise<number> {
    const pay = () => this.store.pay(name, this.settings.of(name), lease, requests);
    return (await this.reach(name, pay)) ?? aroundMs(UNREACHABLE_MS);
  }

  /** The provider has said that it gets too many: nobody asks it for a while. */
  private async coolDown(name: LimiterName, { retryAfterMs = 0 }: Answered): Promise<number> {
    const limit = this.settings.of(name);
    const ms = Math.min(MAX_COOLDOWN_MS, Math.max(limit.cooldownMs, retryAfterMs));
    this.metrics.cooldowns.inc({ limiter: name });
    this.log.warn('provider limits us', { limiter: name, cooldownMs: ms });
    return (await this.reach(name, () => this.store.coolDown(name, limit, ms))) ?? ms;
  }

  private sendAway(limiter: LimiterName, reason: WaitReason | 'unreachable', afterMs: number): GateAnswer {
    this.metrics.waits.inc({ limiter, reason });
    return { kind: 'wait', afterMs };
  }

  private busy(): Busy {
    const message = 'the provider is not called while it is down';
    return {
      kind: 'refused',
      code: 'CIRCUIT_OPEN',
      message,
      trouble: 'busy',
      retryAfterMs: this.options.circuit.resetMs,
    };
  }

  private createCircuit(name: LimiterName): ProviderCircuit {
    const circuit = new ProviderCircuit(this.options.circuit, () => {
      this.metrics.trips.inc({ provider: name });
      this.log.error('provider found to be down', { provider: name });
      void this.reach(name, () => this.tell(name, circuit));
    });
    return circuit;
  }

  /** Has all replicas know that the circuit is open. */
  private async tell(name: LimiterName, circuit: ProviderCircuit): Promise<void> {
    circuit.adopt(await this.store.trip(name, this.settings.of(name), this.options.circuit.resetMs));
  }

  private async renew(): Promise<void> {
    for (const name of LIMITER_NAMES) {
      const leases = [...this.held].flatMap(([lease, of]) => (of === name ? [lease] : []));
      if (leases.length > 0) await this.store.renew(name, this.options.leaseMs, leases);
    }
  }

  /** Undefined while the limiter's Redis is away, or answers with nonsense. */
  private async reach<Value>(
    name: LimiterName,
    work: (circuit: ProviderCircuit) => Promise<Value>,
  ): Promise<Value | undefined> {
    try {
      const value = await work(this.circuitOf(name));
      if (this.unreachable) this.log.info('limiter reached again');
      this.unreachable = false;
      return value;
    } catch (error) {
      if (!this.unreachable) this.log.error('limiter not reached, jobs wait', { error: describeError(error) });
      this.unreachable = true;
      return undefined;
    }
  }

  private circuitOf(name: LimiterName): ProviderCircuit {
    const circuit = this.circuits.get(name);
    if (!circuit) throw new Error(`no circuit for ${name}`);
    return circuit;
  }
}

function judge(sofar: Verdict, { trouble }: Answered): Verdict {
  if (trouble === 'down') return 'failed';
  return trouble === 'unheard' ? sofar : (sofar ?? 'ok');
}

function aroundMs(ms: number): number {
  return Math.round(ms * (0.8 + 0.4 * Math.random()));
}

import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Limit, LimiterName } from '../catalogue/limiters';
import { ASK, COOL_DOWN, PAY, RELEASE, RENEW, RESET, STATUS, TRIP } from './scripts';

/** A limit as it holds now. */
export interface LimitInForce extends Limit {
  /** An operator has stopped everything that would use the account. */
  stopped: boolean;
}

/** Whether a provider is called at all, as all replicas know it. */
export interface SharedCircuit {
  state: CircuitState;
  /** Rises with every change, so that a replica notices the ones that it has not made. */
  changes: number;
}
export type CircuitState = z.infer<typeof circuitState>;

/** A job that wants to use an account. */
export interface Applicant {
  jobId: string;
  /** 1 to 10, 10 most urgent. */
  priority: number;
}

export type WaitReason = z.infer<typeof waitReason>;

export type Admission = { circuit: SharedCircuit } & (
  { kind: 'passed'; isProbe: boolean } | { kind: 'wait'; afterMs: number; reason: WaitReason }
);

/** How the calls of an attempt went; undefined when it made none. */
export type Verdict = 'ok' | 'failed' | undefined;

export interface CircuitRules {
  /** How long an open circuit lets nothing through before it is probed. */
  resetMs: number;
  /** Good probes in a row that close it. */
  probesToClose: number;
}

export interface LimiterStatus {
  tokens: number;
  inFlight: number;
  waiting: number;
  cooldownMs: number;
  circuit: CircuitState;
  /** Until an open circuit may be probed; 0 otherwise. */
  probeInMs: number;
}

/** A job that was told to come back and is so much later than told has lost its place. */
const PATIENCE_MS = 5_000;

const circuitState = z.enum(['closed', 'open', 'half-open']);
const waitReason = z.enum(['rate', 'concurrency', 'cooldown', 'circuit', 'stopped']);
const circuitAnswer = z.tuple([circuitState, z.int()]).transform(([state, changes]) => ({ state, changes }));
const askAnswer = z.union([
  z.tuple([z.literal(1), z.literal([0, 1]), circuitState, z.int()]),
  z.tuple([z.literal(0), z.int(), waitReason, circuitState, z.int()]),
]);
const statusAnswer = z.tuple([z.int(), z.int(), z.int(), z.int(), circuitState, z.int()]);

/**
 * The state of all limiters in the limiter's Redis. What that Redis loses is safe to lose: an empty bucket fills by time,
 * and leases are forgotten with it.
 */
export class LimiterStore {
  /** @param prefix before every key; the braces keep all of them in one slot of a cluster */
  constructor(
    private readonly redis: Redis,
    private readonly prefix: string,
  ) {}

  /** Whether a job may begin. What is granted is held until the lease is given back, or expires. */
  async ask(
    name: LimiterName,
    limit: LimitInForce,
    { jobId, priority }: Applicant,
    lease: { id: string; lifeMs: number },
  ): Promise<Admission> {
    const args = [jobId, 10 - priority, lease.id, lease.lifeMs, PATIENCE_MS, Math.random().toFixed(6)];
    const answer = askAnswer.parse(await ASK.run(this.redis, this.keysOf(name), [...settingsOf(limit), ...args]));
    if (answer[0] === 1) {
      const [, isProbe, state, changes] = answer;
      return { kind: 'passed', isProbe: isProbe === 1, circuit: { state, changes } };
    }
    const [, afterMs, reason, state, changes] = answer;
    return { kind: 'wait', afterMs, reason, circuit: { state, changes } };
  }

  /** Whether an attempt under way may send more: 0, or milliseconds until it should ask again. */
  async pay(name: LimiterName, limit: LimitInForce, lease: string, requests: number): Promise<number> {
    return z.int().parse(await PAY.run(this.redis, this.keysOf(name), [...settingsOf(limit), lease, requests]));
  }

  /** @param unsent requests that were paid for and never sent */
  async release(
    name: LimiterName,
    limit: LimitInForce,
    lease: { id: string; unsent: number; verdict: Verdict },
    rules: CircuitRules,
  ): Promise<SharedCircuit> {
    const args = [lease.id, lease.unsent, lease.verdict ?? '', rules.resetMs, rules.probesToClose];
    return circuitAnswer.parse(await RELEASE.run(this.redis, this.keysOf(name), [...settingsOf(limit), ...args]));
  }

  async trip(name: LimiterName, limit: LimitInForce, resetMs: number): Promise<SharedCircuit> {
    return circuitAnswer.parse(await TRIP.run(this.redis, this.keysOf(name), [...settingsOf(limit), resetMs]));
  }

  /** Lets nothing pass for so long. Answers with how long the cooldown lasts from now, which may be longer. */
  async coolDown(name: LimiterName, limit: LimitInForce, ms: number): Promise<number> {
    return z.int().parse(await COOL_DOWN.run(this.redis, this.keysOf(name), [...settingsOf(limit), ms]));
  }

  async renew(name: LimiterName, lifeMs: number, leases: string[]): Promise<void> {
    await RENEW.run(this.redis, [this.key(name, 'leases')], [lifeMs, ...leases]);
  }

  async reset(name: LimiterName, limit: LimitInForce): Promise<void> {
    await RESET.run(this.redis, this.keysOf(name), settingsOf(limit));
  }

  async status(name: LimiterName, limit: LimitInForce): Promise<LimiterStatus> {
    const [tokens, inFlight, waiting, cooldownMs, circuit, probeInMs] = statusAnswer.parse(
      await STATUS.run(this.redis, this.keysOf(name), settingsOf(limit)),
    );
    return { tokens, inFlight, waiting, cooldownMs, circuit, probeInMs };
  }

  private keysOf(name: LimiterName): string[] {
    return ['state', 'leases', 'paid', 'waiting', 'due'].map((part) => this.key(name, part));
  }

  private key(name: LimiterName, part: string): string {
    return `${this.prefix}:{limits}:${name}:${part}`;
  }
}

function settingsOf({ perSecond, concurrent, burst, stopped }: LimitInForce): (string | number)[] {
  return [perSecond, concurrent, burst, stopped ? 1 : 0];
}

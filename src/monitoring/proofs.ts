import { TIERS, type Tier } from '../contract/names';
import type { Logger } from '../platform/logger';
import { describeError } from '../platform/logger';
import type { Metrics } from '../platform/metrics';
import { Loop } from '../platform/time';

/** What is looked at outside the service; each throws when it cannot be read. */
export interface ProofSteps {
  /** `maxmemory-policy` of a tier's Redis; undefined when the server does not tell. */
  evictionPolicy: (tier: Tier) => Promise<string | undefined>;
  /** Whether the money Redis appends to a file; undefined when the server does not tell. */
  appendOnly: () => Promise<boolean | undefined>;
  /** `synchronous_commit` of our sessions. */
  synchronousCommit: () => Promise<string>;
  /** Names of intake queues that are not quorum queues with routed dead-lettering; undefined when nobody can tell. */
  weakQueues: () => Promise<string[] | undefined>;
}

export function proofMetrics(metrics: Metrics) {
  return {
    proof: metrics.gauge('durability_proof', '1 proven, 0 violated, -1 unknown', ['proof']),
  };
}

type Verdict = { state: 'proven' } | { state: 'unknown' } | { state: 'violated'; why: string };

const EVERY_MS = 30_000;
const GAUGE = { proven: 1, violated: 0, unknown: -1 } as const;

/**
 * Checks, at start and every 30 s, that the durability which the service promises is really configured. Never ends the
 * process: a Redis that may evict jobs pauses the intake of its tier, everything else is a warning and a gauge.
 */
export class Proofs {
  private readonly loop: Loop;
  private readonly last = new Map<string, Verdict['state']>();
  private readonly reasons = new Map<Tier, string>();

  constructor(
    private readonly steps: ProofSteps,
    private readonly metrics: ReturnType<typeof proofMetrics>,
    private readonly log: Logger,
    private readonly onIntakeBlocked: (tier: Tier) => void,
    everyMs: number = EVERY_MS,
  ) {
    this.loop = new Loop(
      () => this.check(),
      everyMs,
      (error) => log.error('proofs failed', { error: describeError(error) }),
    );
  }

  /** Checks once, then goes on in the background. */
  async start(): Promise<void> {
    await this.check();
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Looks now, not at the next turn. */
  poke(): void {
    this.loop.poke();
  }

  /** Why requests of a tier may not be taken; undefined when they may. */
  intakeBlockedBy(tier: Tier): string | undefined {
    return this.reasons.get(tier);
  }

  private async check(): Promise<void> {
    for (const tier of TIERS) await this.checkEviction(tier);
    await this.judge('money_redis_aof', async () => aofVerdict(await this.steps.appendOnly()));
    await this.judge('synchronous_commit', async () => commitVerdict(await this.steps.synchronousCommit()));
    await this.judge('quorum_queues', async () => queueVerdict(await this.steps.weakQueues()));
  }

  private async checkEviction(tier: Tier): Promise<void> {
    const eviction = await this.judge(`${tier}_redis_noeviction`, async () =>
      evictionVerdict(tier, await this.steps.evictionPolicy(tier)),
    );
    // What cannot be read does not change what was known: Redis away is handled by the intake itself.
    if (eviction.state === 'unknown') return;
    const before = this.reasons.get(tier);
    this.reasons.delete(tier);
    if (eviction.state === 'proven') return;
    this.reasons.set(tier, eviction.why);
    if (before === undefined) this.onIntakeBlocked(tier);
  }

  private async judge(proof: string, look: () => Promise<Verdict>): Promise<Verdict> {
    const verdict = await look().catch((): Verdict => ({ state: 'unknown' }));
    this.metrics.proof.set({ proof }, GAUGE[verdict.state]);
    if (this.last.get(proof) !== verdict.state) this.report(proof, verdict);
    this.last.set(proof, verdict.state);
    return verdict;
  }

  private report(proof: string, verdict: Verdict): void {
    if (verdict.state === 'violated') this.log.error('durability proof violated', { proof, why: verdict.why });
    else this.log.info('durability proof', { proof, state: verdict.state });
  }
}

const PROVEN: Verdict = { state: 'proven' };
const UNKNOWN: Verdict = { state: 'unknown' };

function evictionVerdict(tier: Tier, policy: string | undefined): Verdict {
  if (policy === undefined) return UNKNOWN;
  return policy === 'noeviction'
    ? PROVEN
    : { state: 'violated', why: `the ${tier} Redis evicts jobs: maxmemory-policy is ${policy}, must be noeviction` };
}

function aofVerdict(appendOnly: boolean | undefined): Verdict {
  if (appendOnly === undefined) return UNKNOWN;
  return appendOnly
    ? PROVEN
    : { state: 'violated', why: 'the money Redis does not append to a file: set appendonly yes' };
}

function commitVerdict(setting: string): Verdict {
  return setting === 'off' ? { state: 'violated', why: 'synchronous_commit is off: commits can be lost' } : PROVEN;
}

function queueVerdict(weak: string[] | undefined): Verdict {
  if (weak === undefined) return UNKNOWN;
  return weak.length === 0
    ? PROVEN
    : { state: 'violated', why: `not quorum queues with routed dead-lettering: ${weak.join(', ')}` };
}

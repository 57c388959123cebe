import type { EffectResult, Effects, KeyedEffect, UnkeyedEffect } from '../handlers/handler';
import type { StartedJob } from '../jobs/start';
import type { Pass } from '../limits/pass';
import { EffectLedger, type EffectSteps } from './effect-ledger';
import { performKeyed } from './keyed-effects';
import { performUnkeyed } from './unkeyed-effects';

export type { EffectSteps } from './effect-ledger';

/** The attempt as its effects see it. */
export interface EffectScope {
  signal: AbortSignal;
  /** On the clock of `performance.now()`. */
  endsAt: number;
  pass: Pass;
  /** An effect without a key is asked for again, although an earlier call may have made it happen. */
  onRepeat: (name: string) => void;
}

/** The effects of one attempt. */
export class EffectRunner extends EffectLedger implements Effects {
  constructor(
    job: StartedJob,
    steps: EffectSteps,
    private readonly scope: EffectScope,
  ) {
    super(job, steps, scope);
  }

  perform<Value>(effect: KeyedEffect<Value> | UnkeyedEffect<Value>): Promise<EffectResult<Value>> {
    return 'policy' in effect ? performUnkeyed(this, effect, this.scope.onRepeat) : performKeyed(this, effect);
  }
}

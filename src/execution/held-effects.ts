/**
 * Effects that their provider holds back until its customer acts (3-D Secure). The ledger has them as in doubt, with the
 * provider's id of what waits: that it has the id also means that the requester was told, since both are settled together.
 */
import type { EffectResult, HeldEffect, KeyedEffect } from '../handlers/handler';
import type { EffectEntry } from '../jobs/effects';
import { ended, type EffectLedger } from './effect-ledger';

const FIRST_LOOK_MS = 5_000;
const LAST_LOOK_MS = 5 * 60 * 1_000;

/** Records that the effect is held back, and has the requester told. */
export function hold<Value>(
  ledger: EffectLedger,
  effect: Pick<KeyedEffect<Value>, 'name' | 'held'>,
  number: number,
  { code, message, reference }: { code: string; message: string; reference: string },
): EffectResult<Value> {
  ledger.record(effect.name, number, 'in_doubt', reference);
  if (!effect.held) return ended({ kind: 'inDoubt', code, message });
  return ended({ kind: 'attention', code, message, reference, againMs: FIRST_LOOK_MS });
}

/**
 * Asks what became of a held effect; once the customer's time is over, it is ended for good.
 *
 * Killed after the provider was told to end it: the next look finds it ended.
 */
export async function lookAtHeld<Value>(
  ledger: EffectLedger,
  { name, held }: { name: string; held: HeldEffect<Value> },
  { number, ageMs }: EffectEntry,
  reference: string,
): Promise<EffectResult<Value>> {
  const giveUp = ageMs >= held.waitMs;
  const answer = await ledger.look((limits) => held.look(reference, { ...limits, giveUp }));
  switch (answer.kind) {
    case 'ended':
      return answer;
    case 'done':
      ledger.record(name, number, 'done', answer.reference, answer.value);
      return answer;
    case 'declined':
      ledger.record(name, number, 'absent', answer.reference);
      return answer;
    case 'action':
      return ended({ kind: 'snooze', code: 'AWAITING_CUSTOMER', afterMs: nextLookMs(ageMs, held.waitMs) });
    case 'unknown':
      return ended({ kind: 'retry', code: answer.code, message: answer.message });
  }
}

/** Most customers act within a minute, the others may take their time. */
function nextLookMs(ageMs: number, waitMs: number): number {
  const patience = Math.min(LAST_LOOK_MS, Math.max(FIRST_LOOK_MS, ageMs / 5));
  return Math.ceil(Math.min(patience, Math.max(0, waitMs - ageMs)));
}

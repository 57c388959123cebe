import type { EffectResult, UnkeyedEffect } from '../handlers/handler';
import { failed } from '../handlers/outcome';
import { ended, tryLater, type EffectLedger } from './effect-ledger';
import { recall } from './keyed-effects';

/** It may have reached somebody, and must not do so twice. */
const UNKNOWN_DELIVERY = failed('UNKNOWN_DELIVERY', 'it may have happened, and must not happen twice', {
  replayable: false,
});

/**
 * What does the ledger know → begin (committed) → call → fact. The provider takes no key of ours, so a call whose end
 * nobody knows can be followed by another one or by none, as the effect declares; never before that call is certainly
 * over.
 *
 * Killed before `begin` committed: nothing was sent. After: the next attempt finds `started`, and nobody can tell whether
 * it was.
 *
 * @param onRepeat told of every call that may make the effect happen a second time
 */
export async function performUnkeyed<Value>(
  ledger: EffectLedger,
  effect: UnkeyedEffect<Value>,
  onRepeat: (name: string) => void,
): Promise<EffectResult<Value>> {
  const last = await ledger.latest(effect.name);
  if (!last || last.state === 'absent') return tryOnce(ledger, effect, (last?.number ?? 0) + 1);
  if (last.state === 'done') return recall(effect, last);
  if (last.overForMs < 0) return ended({ kind: 'snooze', code: 'CALL_UNDER_WAY', afterMs: Math.ceil(-last.overForMs) });
  if (effect.policy === 'atMostOnce') return ended(UNKNOWN_DELIVERY);
  return tryOnce(ledger, effect, last.number, onRepeat);
}

/** @param onRepeat given when an earlier call of this number may have happened: then no answer proves that none did */
async function tryOnce<Value>(
  ledger: EffectLedger,
  effect: UnkeyedEffect<Value>,
  number: number,
  onRepeat?: (name: string) => void,
): Promise<EffectResult<Value>> {
  const first = onRepeat === undefined;
  const answer = await ledger.call(effect, number, first, (limits) => {
    onRepeat?.(effect.name);
    return effect.call(limits);
  });
  switch (answer.kind) {
    case 'ended':
      return answer;
    case 'done':
      ledger.record(effect.name, number, 'done', answer.reference, answer.value);
      return answer;
    case 'declined':
      if (first) ledger.record(effect.name, number, 'absent');
      return answer;
    case 'refused':
      if (first) ledger.record(effect.name, number, 'absent');
      return tryLater(answer);
    case 'unknown':
      if (effect.policy === 'atMostOnce') return ended(UNKNOWN_DELIVERY);
      return ended({ kind: 'retry', code: answer.code, message: answer.message });
  }
}

import type { EffectLookup, EffectResult, UnkeyedEffect } from '../handlers/handler';
import { failed, type HandlerOutcome } from '../handlers/outcome';
import type { EffectEntry } from '../jobs/effects';
import { ended, tryLater, type EffectLedger } from './effect-ledger';
import { recall } from './keyed-effects';

/** It may have reached somebody, and must not do so twice. */
const UNKNOWN_DELIVERY = failed('UNKNOWN_DELIVERY', 'it may have happened, and must not happen twice', {
  replayable: false,
});

/**
 * What does the ledger know → begin (committed) → call → fact. The provider takes no key of ours, so a call whose end
 * nobody knows is followed by a look at what the provider knows of it, if it can be asked; then by another call or by
 * none, as the effect declares; never before that call is certainly over.
 *
 * Killed before `begin` committed: nothing was sent. After: the next attempt finds `started`, as after an unknown answer.
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
  const overInMs = (effect.lookup?.lagMs ?? 0) - last.overForMs;
  if (overInMs > 0) return ended({ kind: 'snooze', code: 'CALL_UNDER_WAY', afterMs: Math.ceil(overInMs) });
  const found = effect.lookup && (await lookUp(ledger, effect, effect.lookup, last));
  if (found) return found;
  if (effect.policy === 'atMostOnce') return ended(UNKNOWN_DELIVERY);
  return tryOnce(ledger, effect, last.number, onRepeat);
}

/** Undefined when the provider knows of nothing. */
async function lookUp<Value>(
  ledger: EffectLedger,
  effect: UnkeyedEffect<Value>,
  { lagMs, find }: EffectLookup<Value>,
  last: EffectEntry,
): Promise<EffectResult<Value> | undefined> {
  const now = Date.now();
  const made = { from: new Date(now - last.ageMs), until: new Date(now - last.overForMs + lagMs) };
  const found = await ledger.look((limits) => find(made, limits));
  if (found.kind === 'ended') return found;
  if (found.kind === 'absent') return undefined;
  if (found.kind === 'unknown') return ended({ kind: 'retry', code: found.code, message: found.message });
  ledger.record(effect.name, last.number, 'done', found.reference, found.value);
  return found;
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
      return ended(afterUnknown(effect, answer));
  }
}

function afterUnknown(
  { policy, lookup }: UnkeyedEffect<unknown>,
  { code, message }: { code: string; message: string },
): HandlerOutcome<never> {
  if (policy === 'atLeastOnce') return { kind: 'retry', code, message };
  // It is not asked for again, only looked for: no attempt is spent.
  return lookup ? { kind: 'snooze', code, afterMs: lookup.lagMs } : UNKNOWN_DELIVERY;
}

import type { EffectResult, KeyedEffect, ProviderAnswer } from '../handlers/handler';
import type { HandlerOutcome } from '../handlers/outcome';
import type { EffectEntry } from '../jobs/effects';
import { ended, tryLater, type EffectLedger } from './effect-ledger';
import { hold, lookAtHeld } from './held-effects';

/** A key is not used in the last part of its window: the provider's clock is not ours. */
const WINDOW_MARGIN_MS = 60 * 60 * 1_000;

/**
 * What does the ledger know → begin (committed) → call → fact.
 *
 * Killed before `begin` committed: nothing was sent. After: the next attempt finds `started` and asks again with the same
 * key, or, when the provider may have forgotten the key or repeats a stored failure, asks whether it happened.
 */
export async function performKeyed<Value>(
  ledger: EffectLedger,
  effect: KeyedEffect<Value>,
): Promise<EffectResult<Value>> {
  const last = await ledger.latest(effect.name);
  if (!last || last.state === 'absent') return tryOnce(ledger, effect, (last?.number ?? 0) + 1, true);
  if (last.state === 'done') return recall(effect, last);
  if (effect.held && last.state === 'in_doubt' && last.reference !== undefined) {
    return lookAtHeld(ledger, { name: effect.name, held: effect.held }, last, last.reference);
  }
  const keyIsGood = last.state === 'started' && last.ageMs < effect.keyWindowMs - WINDOW_MARGIN_MS;
  return keyIsGood ? tryOnce(ledger, effect, last.number, false) : reconcile(ledger, effect, last);
}

/** What the ledger knows to have happened. */
export function recall<Value>(effect: Pick<KeyedEffect<Value>, 'value'>, entry: EffectEntry): EffectResult<Value> {
  const value = effect.value.safeParse(entry.value);
  if (value.success) return { kind: 'done', value: value.data, reference: entry.reference ?? '' };
  return ended({ kind: 'inDoubt', code: 'LEDGER_UNREADABLE', message: 'the recorded effect cannot be read' });
}

/** @param first whether this number was never tried: only then does "refused" prove that nothing happened */
async function tryOnce<Value>(
  ledger: EffectLedger,
  effect: KeyedEffect<Value>,
  number: number,
  first: boolean,
): Promise<EffectResult<Value>> {
  const providerKey = ledger.providerKey(effect.name, number);
  const onLateAnswer = (late: ProviderAnswer<Value>) => {
    if (late.kind === 'done') ledger.keepLate(effect.name, number, late);
  };
  const answer = await ledger.call(effect, number, first, (limits) =>
    effect.call(providerKey, { ...limits, onLateAnswer }),
  );
  switch (answer.kind) {
    case 'ended':
      return answer;
    case 'done':
      ledger.record(effect.name, number, 'done', answer.reference, answer.value);
      return answer;
    case 'declined':
      // Another account's key, say, is refused before anybody looks for what an earlier call did.
      if (!first && !answer.aboutKey) return askLater(ledger, effect, number, answer);
      ledger.record(effect.name, number, 'absent', answer.reference);
      return answer;
    case 'refused':
      if (first) ledger.record(effect.name, number, 'absent');
      return tryLater(answer);
    case 'action':
      return hold(ledger, effect, number, answer);
    case 'unknown':
      if (answer.replayed) ledger.record(effect.name, number, 'in_doubt');
      return ended(askAgain(answer));
  }
}

/** With the same key. What the provider has under way is no failure of the job. */
function askAgain({
  code,
  message,
  underWay,
}: Extract<ProviderAnswer<never>, { kind: 'unknown' }>): HandlerOutcome<never> {
  if (!underWay) return { kind: 'retry', code, message };
  return { kind: 'wait', code, message, afterMs: underWay.againMs, withinMs: underWay.withinMs };
}

/** Its key can tell nothing more: the next attempt asks whether the effect happened. */
function askLater<Value>(
  ledger: EffectLedger,
  effect: KeyedEffect<Value>,
  number: number,
  { code, message }: { code: string; message: string },
): EffectResult<Value> {
  ledger.record(effect.name, number, 'in_doubt');
  return ended({ kind: 'retry', code, message });
}

/** Asks the provider whether the effect happened. "Absent" counts only once the call is over and the search is fresh. */
async function reconcile<Value>(
  ledger: EffectLedger,
  effect: KeyedEffect<Value>,
  last: EffectEntry,
): Promise<EffectResult<Value>> {
  const askedMsAgo = last.ageMs;
  const found = await ledger.look((limits) => effect.find(last.providerKey, { ...limits, askedMsAgo }));
  switch (found.kind) {
    case 'ended':
      return found;
    case 'done':
      ledger.record(effect.name, last.number, 'done', found.reference, found.value);
      return found;
    case 'action':
      return hold(ledger, effect, last.number, found);
    case 'unknown':
      return ended({ kind: 'retry', code: found.code, message: found.message });
    case 'absent': {
      const freshInMs = effect.searchLagMs - last.overForMs;
      if (freshInMs > 0) return ended({ kind: 'snooze', code: 'AWAITING_SEARCH', afterMs: Math.ceil(freshInMs) });
      ledger.record(effect.name, last.number, 'absent');
      return tryOnce(ledger, effect, last.number + 1, true);
    }
  }
}

import type { EffectFact } from '../jobs/effects';
import type { StartedJob } from '../jobs/start';
import { describeError, type Logger } from '../platform/logger';
import { decide, type AttemptEnd } from './decide';
import type { EffectLedger } from './effect-ledger';
import type { Ending, SettleAnswer, Settler } from './settler';

/**
 * Decides how an attempt ends, and settles it. What the database refuses for what the handler or a provider said (text
 * with a NUL, say) would be refused at every attempt, and its effects happen at each: it is settled as such instead,
 * with what is known of its effects, and if need be with no more of that than that they happened.
 */
export async function settleStorable(
  settler: Settler,
  job: StartedJob,
  end: AttemptEnd,
  effects: EffectLedger,
  log: Logger,
): Promise<{ ending: Ending; answer: SettleAnswer }> {
  const facts = effects.facts.splice(0);
  const settle = async (how: AttemptEnd, known: EffectFact[]) => {
    const ending = { job, decision: decide(job, how, effects, new Date()), facts: known };
    return { ending, answer: await settler.settle(ending) };
  };
  const refused = (error: unknown): void =>
    log.error('the end of an attempt cannot be stored', { jobId: job.jobId, error: describeError(error) });
  try {
    return await settle(end, facts);
  } catch (error) {
    refused(error);
  }
  try {
    return await settle({ kind: 'notStorable' }, facts);
  } catch (error) {
    refused(error);
    return settle({ kind: 'notStorable' }, facts.map(withoutWords));
  }
}

function withoutWords(fact: EffectFact): EffectFact {
  return { ...fact, reference: undefined, value: undefined };
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Answers } from './answers';
import type { PlannedRequest } from './plan';

/** Who asks, and who knows what was answered. */
export interface Customers {
  ask: (planned: PlannedRequest) => Promise<void>;
  answers: Answers;
}

/** Something that happens once this share of the plan has been asked for. */
export interface Incident {
  atShare: number;
  happen: () => Promise<void>;
}

const TICK_MS = 20;

/**
 * Asks for what is planned at an even pace; what waits for an answer goes out as soon as that has come. Incidents do not
 * hold the sale up: customers go on buying.
 */
export async function runSale(
  { ask, answers }: Customers,
  plan: PlannedRequest[],
  options: { perSecond: number; incidents: Incident[]; signal: AbortSignal },
): Promise<void> {
  const incidents = options.incidents.toSorted((one, other) => one.atShare - other.atShare);
  const happening: Promise<void>[] = [];
  const confirms: Promise<void>[] = [];
  const begin = (planned: PlannedRequest): void => {
    const confirmed = ask(planned);
    // Awaited at the end; until then a rejection must not count as unhandled.
    confirmed.catch(() => undefined);
    confirms.push(confirmed);
  };
  const later: Promise<void>[] = [];
  const begun = performance.now();
  let next = 0;
  while (next < plan.length && !options.signal.aborted) {
    const due = Math.min(plan.length, Math.ceil(((performance.now() - begun) / 1_000) * options.perSecond));
    for (const planned of plan.slice(next, due)) {
      if (planned.afterAnswerTo === undefined) begin(planned);
      else later.push(whenAnswered(answers, planned.afterAnswerTo, () => begin(planned)));
    }
    next = Math.max(next, due);
    while (incidents[0] && next / plan.length >= incidents[0].atShare) {
      const incident = incidents.shift()?.happen();
      if (incident) happening.push(incident);
    }
    await sleep(TICK_MS);
  }
  await Promise.all(happening);
  await orAborted(Promise.all(later), options.signal);
  await Promise.all(confirms);
}

function whenAnswered(answers: Answers, requestId: string, then: () => void): Promise<void> {
  return new Promise((resolve) => {
    answers.whenAnswered(requestId, () => {
      then();
      resolve();
    });
  });
}

/** Ends early when the signal aborts: an answer that never comes must not hold everything up. */
async function orAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([work, aborted]);
}

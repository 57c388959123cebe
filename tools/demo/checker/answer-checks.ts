/** Does every request for a charge, and every message that is none, have the one answer that it must have? */
import type { Asked, Disagreement, Facts } from './facts';
import { groupBy } from './group';
import { KINDS, type OutcomeEvent, type PublishedRecord } from '../records';

export function checkAnswers(facts: Facts): Disagreement[] {
  const requests = [...facts.requests.values()];
  return [
    ...requests.flatMap((asked) => checkRequest(facts, asked)),
    ...checkTerminal(facts),
    ...checkUnknown(facts),
    ...checkUnreadable(facts),
    ...checkRepeats(facts),
  ];
}

function checkRequest(facts: Facts, asked: Asked): Disagreement[] {
  const { record, answers } = asked;
  const found = (what: string, detail: string): Disagreement[] => [
    { what, id: record.messageId, detail: `${record.kind}: ${detail}` },
  ];
  const last = lastAnswer(answers);
  if (!last) return found('confirmed, but not answered', names(answers) || 'nothing came');
  const kinds = new Set(answers.map(({ data }) => data.outcome).filter((name) => name !== 'attention'));
  if (kinds.size > 1) return found('answered in several ways', names(answers));
  switch (KINDS[record.kind]) {
    case 'completed':
    case 'duplicate':
      return checkCharged(facts, asked, last).flatMap((detail) => found('wrong answer', detail));
    case 'failed':
      return checkFailed(record, last).flatMap((detail) => found('wrong answer', detail));
    case 'rejected':
      return checkRejected(facts, record, last).flatMap((detail) => found('wrong answer', detail));
    case 'nothing':
      return [];
  }
}

/** The answer after which nothing more is owed; a duplicate of unfinished work is owed the result. */
function lastAnswer(answers: OutcomeEvent[]): OutcomeEvent | undefined {
  return answers.findLast(({ data }) => {
    if (data.outcome === 'attention') return false;
    return data.outcome !== 'duplicate' || data.result !== null || data.error !== null;
  });
}

/** Of all requests for one order one does the work, whichever came in first; the others are told of it. */
function checkCharged(facts: Facts, { record, answers }: Asked, last: OutcomeEvent): string[] {
  const jobs = facts.jobsOf(record.order ?? '');
  if (last.data.outcome !== 'completed' && last.data.outcome !== 'duplicate') {
    return [`${describe(last)} instead of ${KINDS[record.kind]}`];
  }
  if (jobs.size !== 1) return [`order ${record.order} has ${jobs.size} jobs that completed`];
  const strangers = answers.filter(({ data }) => !jobs.has(data.jobId));
  return strangers.map(({ data }) => `names job ${data.jobId}, but the order's job is ${[...jobs].join()}`);
}

function checkFailed(record: PublishedRecord, last: OutcomeEvent): string[] {
  const asExpected = last.data.outcome === 'failed' && last.data.error?.code === record.code;
  return asExpected ? [] : [`${describe(last)} instead of failed with ${record.code}`];
}

function checkRejected(facts: Facts, record: PublishedRecord, last: OutcomeEvent): string[] {
  const { outcome, error, jobId } = last.data;
  if (outcome !== 'rejected' || error?.code !== record.code) {
    return [`${describe(last)} instead of rejected with ${record.code}`];
  }
  const complaints: string[] = [];
  const places = (error.details ?? []).map(({ path }) => path);
  if (places.length === 0) complaints.push('lists no problem');
  else if (record.problemAt !== null && !places.includes(record.problemAt)) {
    complaints.push(`does not list ${record.problemAt} among its problems`);
  }
  if (record.order !== null && !facts.jobsOf(record.order).has(jobId)) {
    complaints.push(`names job ${jobId}, which is not the order's`);
  }
  return complaints;
}

const TERMINAL = new Set(['completed', 'failed', 'cancelled']);

/** Every job that anybody heard of ends once in each generation. */
function checkTerminal(facts: Facts): Disagreement[] {
  const ofJobs = facts.outcomes.filter(({ data }) => data.jobId !== null && data.generation !== null);
  const byGeneration = groupBy(ofJobs, ({ data }) => `${data.jobId}/${data.generation}`);
  return [...byGeneration].flatMap(([id, events]) => {
    const ends = events.filter(({ data }) => TERMINAL.has(data.outcome));
    if (ends.length === 1) return [];
    return [{ what: 'a job without exactly one terminal outcome', id, detail: names(ends) || 'it has none' }];
  });
}

function checkUnknown(facts: Facts): Disagreement[] {
  const known = new Set(facts.evidence.published.map(({ requestId }) => requestId));
  return facts.outcomes
    .filter(({ data }) => data.requestId !== null && !known.has(data.requestId))
    .map((event) => ({
      what: 'an outcome for a request that nobody made',
      id: event.id,
      detail: `${describe(event)} for request ${event.data.requestId}`,
    }));
}

/** Who cannot be read cannot be named: as many refusals as messages, each saying what is wrong. */
function checkUnreadable(facts: Facts): Disagreement[] {
  const refusals = facts.outcomes.filter(({ data }) => data.requestId === null);
  const good = refusals.filter(({ data }) => data.outcome === 'rejected' && (data.error?.details ?? []).length > 0);
  const bad = refusals.filter((event) => !good.includes(event));
  const counts = `${facts.unreadable.length} sent, ${refusals.length} refused`;
  const missing = refusals.length < facts.unreadable.length ? facts.unreadable : [];
  const surplus = refusals.length > facts.unreadable.length ? refusals : [];
  return [
    ...missing.map(({ messageId }) => ({ what: 'one of these was not answered', id: messageId, detail: counts })),
    ...surplus.map(({ id }) => ({ what: 'a refusal of what nobody sent', id, detail: counts })),
    ...bad.map((event) => ({ what: 'wrong answer', id: event.id, detail: `${describe(event)} lists no problem` })),
  ];
}

/** The same outcome may come again, but not with something else in it. */
function checkRepeats(facts: Facts): Disagreement[] {
  const byId = groupBy(facts.evidence.outcomes, ({ event }) => event.id);
  return [...byId]
    .filter(([, records]) => new Set(records.map(({ event }) => JSON.stringify(event))).size > 1)
    .map(([id, records]) => ({ what: 'one outcome id, several contents', id, detail: `${records.length} deliveries` }));
}

function names(events: OutcomeEvent[]): string {
  return events.map(describe).join(', ');
}

function describe({ data }: OutcomeEvent): string {
  return data.error === null ? data.outcome : `${data.outcome} (${data.error.code})`;
}

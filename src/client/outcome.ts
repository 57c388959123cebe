import type { z } from 'zod';
import { findJobType, type JobTypeName, type ResultOf } from '../catalogue';
import type { OutcomeData, OutcomeError } from '../contract/outcome';
import { outcomeEvent } from '../contract/outcome-event';
import { problemsOf } from '../contract/problems';
import type { Problem } from '../platform/json-problems';
import { parseJson } from '../platform/parse-json';

interface OutcomeFacts extends Omit<OutcomeData, 'type' | 'outcome' | 'result' | 'error'> {
  /** The same however often it is delivered. */
  id: string;
  traceparent: string | undefined;
}

type Ending<Result> =
  | { outcome: 'completed'; result: Result; error: null }
  /** The work was asked for before. Without a result while it is unfinished: then it comes again, with another id. */
  | { outcome: 'duplicate'; result: Result | null; error: OutcomeError | null }
  | { outcome: 'cancelled'; result: null; error: OutcomeError | null }
  /** `attention` is not the end: another outcome follows. */
  | { outcome: 'failed' | 'attention' | 'rejected'; result: null; error: OutcomeError };

/** The outcome of a job of one type, or of a request for one. */
export type OutcomeOf<Name extends JobTypeName> = OutcomeFacts & { type: Name } & Ending<ResultOf<Name>>;

/** Of a type that this version does not know, or of a request that could not be read; `typeName` is what it says. */
export type UnknownOutcome = OutcomeFacts & { type: 'unknown'; typeName: string } & Ending<unknown>;

/** Told apart by `type` and `outcome`. */
export type Outcome = { [Name in JobTypeName]: OutcomeOf<Name> }[JobTypeName] | UnknownOutcome;

/** A message from the broker → an outcome, or every problem with it. */
export function readOutcome(content: Buffer): { outcome: Outcome } | { problems: Problem[] } {
  const json = parseJson(content);
  if ('problem' in json) return { problems: [json.problem] };
  const parsed = outcomeEvent.safeParse(json.value);
  if (!parsed.success) return { problems: problemsOf(parsed.error) };
  const { id, traceparent, data } = parsed.data;
  const problems = endingProblems(data);
  if (problems.length > 0) return { problems };
  const known = findJobType(data.type);
  const type = known ? { type: known.name } : { type: 'unknown', typeName: data.type };
  // Result and error have just been held to the type and the kind of outcome, which the schema of all outcomes cannot say.
  return { outcome: { ...data, ...type, id, traceparent } as Outcome };
}

/** What stands in the way of handing it over under its static type. */
function endingProblems({ type, outcome, result, error }: OutcomeData): Problem[] {
  const needsError = outcome === 'failed' || outcome === 'attention' || outcome === 'rejected';
  if (needsError && error === null) return [{ path: 'data.error', message: 'is missing' }];
  const schema = findJobType(type)?.result;
  if (!schema || outcome !== 'completed') {
    return schema && outcome === 'duplicate' && result !== null ? resultProblems(schema, result) : [];
  }
  return resultProblems(schema, result);
}

/** A later version of the service may say more than this one knows; it does not say less. */
function resultProblems(schema: z.ZodType, result: unknown): Problem[] {
  const parsed = schema.safeParse(result);
  const onlyMore = parsed.error?.issues.every(({ code }) => code === 'unrecognized_keys') ?? true;
  return parsed.error && !onlyMore ? problemsOf(parsed.error, 'data.result') : [];
}

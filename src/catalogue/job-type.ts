import type { z } from 'zod';
import type { Tier } from '../contract/names';
import type { Role } from '../contract/principals';
import type { Problem } from '../platform/json-problems';
import { problemsOf } from '../contract/problems';
import type { Using } from './choice';

/** What a key may be made of beside the payload. */
export interface KeyContext {
  /** When the request was made, by its own word: `{date}` and `{hour}` of a key come from it, in UTC. */
  time: Date;
}

/** How often a job is tried, and when again. */
export interface RetryRule {
  attempts: number;
  /** Milliseconds before the try after `attempt` (1 = the first) failed. */
  backoffMs: (attempt: number) => number;
}

/** What a job type declares about itself; one file each in this folder. */
export interface JobTypeDefinition<Name extends string, Payload, Result, Input = unknown> extends Using {
  name: Name;
  queue: Tier;
  /** 1 to 10, 10 most urgent; what a request gets that names none. */
  priority: number;
  /** How many of this type one process runs at the same time. */
  concurrency: number;
  /** How long one attempt may take, unless the request says otherwise. */
  timeoutMs: number;
  /** The member of the payload by which parts of the type are told apart that a deployment may lack. */
  kindBy?: string;
  /** What its jobs get where their request says nothing else, instead of the queue's. */
  retry?: RetryRule;
  /**
   * Who may ask for it by HTTP. A user only ever asks for what is the user's own. With nobody in it, it is not asked for at
   * all, by messages neither: only the service itself makes such jobs.
   */
  submittableBy: readonly Role[];
  payload: z.ZodType<Payload, Input>;
  result: z.ZodType<Result>;
  /**
   * The key of a request that names none; undefined when the payload does not tell the work from other work, so that the
   * request must name one. It may hold personal data: it is stored and published as an HMAC only.
   */
  defaultKey: (payload: Payload, context: KeyContext) => string | undefined;
}

/** What is wrong with a request that names no key where its payload makes none. */
export const NO_DEFAULT_KEY = 'must be given: the payload does not tell this work from other work';

/** A job type without its static types, as the catalogue lists it. */
export interface JobType extends Omit<
  JobTypeDefinition<string, unknown, unknown>,
  'payload' | 'result' | 'defaultKey'
> {
  payload: z.ZodType;
  result: z.ZodType;
  /** Judges a payload from outside: either every problem with it, or the default key of a sound one. */
  check(data: unknown, context: KeyContext): { problems: Problem[] } | { defaultKey: string | undefined };
}

/** A job type with its static types, as its handler and its publishers see it. */
export interface TypedJobType<Name extends string, Payload, Result, Input = unknown> extends JobType {
  name: Name;
  payload: z.ZodType<Payload, Input>;
  result: z.ZodType<Result>;
}

export function defineJobType<const Name extends string, Payload, Result, Input>(
  definition: JobTypeDefinition<Name, Payload, Result, Input>,
): TypedJobType<Name, Payload, Result, Input> {
  const { defaultKey, ...rest } = definition;
  return {
    ...rest,
    check(data, context) {
      const parsed = definition.payload.safeParse(data);
      if (!parsed.success) return { problems: problemsOf(parsed.error, 'data.data') };
      return { defaultKey: defaultKey(parsed.data, context) };
    },
  };
}

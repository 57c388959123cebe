import type { z } from 'zod';
import type { Tier } from '../contract/names';
import type { Problem } from '../platform/json-problems';
import { problemsOf } from '../contract/problems';

/** What a job type declares about itself; one file each in this folder. */
export interface JobTypeDefinition<Payload, Result> {
  name: string;
  queue: Tier;
  /** 1 to 10, 10 most urgent; what a request gets that names none. */
  priority: number;
  /** How many of this type one process runs at the same time. */
  concurrency: number;
  /** How long one attempt may take, unless the request says otherwise. */
  timeoutMs: number;
  payload: z.ZodType<Payload>;
  result: z.ZodType<Result>;
  /** The key of a request that names none. It may hold personal data: it is stored and published as an HMAC only. */
  defaultKey: (payload: Payload) => string;
}

/** A job type without its static types, as the catalogue lists it. */
export interface JobType extends Omit<JobTypeDefinition<unknown, unknown>, 'payload' | 'result' | 'defaultKey'> {
  payload: z.ZodType;
  result: z.ZodType;
  /** Judges a payload from outside: either every problem with it, or the default key of a sound one. */
  check(data: unknown): { problems: Problem[] } | { defaultKey: string };
}

/** A job type with its static types, as its handler sees it. */
export interface TypedJobType<Payload, Result> extends JobType {
  payload: z.ZodType<Payload>;
  result: z.ZodType<Result>;
}

export function defineJobType<Payload, Result>(
  definition: JobTypeDefinition<Payload, Result>,
): TypedJobType<Payload, Result> {
  const { defaultKey, ...rest } = definition;
  return {
    ...rest,
    check(data) {
      const parsed = definition.payload.safeParse(data);
      if (!parsed.success) return { problems: problemsOf(parsed.error, 'data.data') };
      return { defaultKey: defaultKey(parsed.data) };
    },
  };
}

import type { z } from 'zod';
import { MAX_PROBLEMS, withMore, type Problem } from '../platform/json-problems';

const MAX_TEXT_LENGTH = 200;

/**
 * Every problem that zod found, with its place. Messages name what was expected and the kind of what came, never the
 * value; member names come from outside, so control characters and lone surrogates in them are made harmless.
 */
export function problemsOf(error: z.ZodError, under = ''): Problem[] {
  const problems = error.issues.slice(0, MAX_PROBLEMS).map((issue) => ({
    path: harmless([under, ...issue.path.map(String)].filter(Boolean).join('.')) || '(body)',
    message: harmless(issue.message),
  }));
  return withMore(problems, error.issues.length);
}

function harmless(text: string): string {
  // Cut first: the cut may go through a surrogate pair.
  return text
    .slice(0, MAX_TEXT_LENGTH)
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, '?');
}

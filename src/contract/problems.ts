import type { z } from 'zod';
import type { Problem } from '../platform/json-problems';

const MAX_MESSAGE_LENGTH = 200;

/**
 * Every problem that zod found, with its place. Messages name what was expected and the kind of what came, never the
 * value; member names come from outside, so control characters and lone surrogates in them are made harmless.
 */
export function problemsOf(error: z.ZodError, under = ''): Problem[] {
  return error.issues.map((issue) => ({
    path: harmless([under, ...issue.path.map(String)].filter(Boolean).join('.')) || '(body)',
    message: harmless(issue.message),
  }));
}

function harmless(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, '?')
    .slice(0, MAX_MESSAGE_LENGTH);
}

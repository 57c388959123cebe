import { z } from 'zod';
import { ROLES, type Role } from '../contract/principals';

/** Who asks, by the word of a verified token. */
export interface Principal {
  id: string;
  role: Role;
  /** Venues that a venue_admin speaks for. */
  venues: readonly string[];
}

/** Visible ASCII: ids become part of a source, of log lines and of keys. */
const id = z
  .string()
  .max(128)
  .regex(/^[\x21-\x7e]+$/);

const claims = z
  .object({
    id: id.optional(),
    /** Stands in for `id` where that is missing. */
    sub: id.optional(),
    role: z.enum(ROLES),
    venues: z.array(id).max(1_000).default([]),
    /** The library checks the time only where the claim is there. */
    exp: z.number(),
  })
  .transform(({ id, sub, role, venues }, context): Principal => {
    const subject = id ?? sub;
    if (subject !== undefined) return { id: subject, role, venues };
    context.addIssue('names nobody');
    return z.NEVER;
  });

/** The claims of a verified token → a principal; undefined when they do not name one. */
export function toPrincipal(payload: unknown): Principal | undefined {
  return claims.safeParse(payload).data;
}

/** The `source` of what a principal submits: always the same, so that its idempotency keys are its own. */
export function sourceOf({ role, id }: Principal): string {
  return `/http/${role}/${encodeURIComponent(id)}`;
}

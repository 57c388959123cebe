import type { JobType } from '../catalogue/job-type';
import type { Problem } from '../platform/json-problems';
import { HttpError } from './errors';
import type { Principal } from './principal';

/**
 * The payload in the name of whoever asks: a user asks for itself, a venue_admin for one of its venues. What is left out
 * and can only be one thing is filled in from the token; services and admins speak for everybody.
 * @throws HttpError when the payload names somebody else
 */
export function ownPayload(
  data: Record<string, unknown>,
  { role, id, venues }: Principal,
  type: JobType,
): Record<string, unknown> {
  if (role === 'user') {
    const { userId = id } = data;
    if (userId !== id) throw new HttpError('NOT_YOURS', [notYours('data.userId', 'is not yours', type)]);
    return { ...data, userId };
  }
  if (role === 'venue_admin') {
    const { venueId = venues.length === 1 ? venues[0] : undefined } = data;
    if (typeof venueId === 'string' && venues.includes(venueId)) return { ...data, venueId };
    throw new HttpError('NOT_YOURS', [notYours('data.venueId', 'is none of your venues', type)]);
  }
  return data;
}

function notYours(path: string, what: string, type: JobType): Problem {
  return { path, message: `${what}: ${type.name} may only be asked for in your own name` };
}

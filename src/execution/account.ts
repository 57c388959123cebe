import { choiceOf, memberOf, type Using } from '../catalogue/choice';
import type { LimitedUse } from '../catalogue/limiters';

/** The payload of a job as stored; undefined when there is no such job. @throws when the records cannot be read */
export type ReadPayload = (jobId: string) => Promise<unknown>;

/**
 * Which account a job uses, before it begins; undefined for a job that uses nobody's.
 * @throws when the records cannot be read
 */
export async function findUse(
  type: Using | undefined,
  jobId: string,
  readPayload: ReadPayload,
): Promise<LimitedUse | undefined> {
  if (type?.uses === undefined) return undefined;
  const { uses } = type;
  if (typeof uses === 'string') return uses;
  const payload = await readPayload(jobId);
  const followed = uses.follows === undefined ? undefined : memberOf(payload, uses.follows);
  const chosen =
    choiceOf(type, payload) ?? (followed === undefined ? undefined : memberOf(await readPayload(followed), uses.by));
  return (chosen === undefined ? undefined : uses.among[chosen]) ?? Object.values(uses.among)[0];
}

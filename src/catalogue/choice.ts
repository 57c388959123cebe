import { limiterOf, type LimitedUse, type LimiterName } from './limiters';

/** A job type, as far as it says what its jobs use; none where there is nothing to spare. */
export interface Using {
  uses?: LimitedUse | Choice;
}

/** Several accounts, of which a member of the payload names the one that a job uses. */
export interface Choice {
  by: ChosenBy;
  /** What each value of that member uses; a job whose account nobody can name yet uses the first. */
  among: Readonly<Record<string, LimitedUse>>;
  /** The member with the id of the job whose choice a job follows that names none. Without it the default is chosen. */
  follows?: string;
}

export type ChosenBy = 'provider' | 'chain';

/** What is chosen, by configuration, for jobs that do not choose. */
export type DefaultChoices = Readonly<Record<ChosenBy, string>>;

/** Everything that the jobs of a type may use. */
export function usesOf({ uses }: Using): LimitedUse[] {
  if (uses === undefined) return [];
  return typeof uses === 'string' ? [uses] : Object.values(uses.among);
}

/** The limiters that anything in the catalogue counts against. */
export function limitersOf(types: readonly Using[]): LimiterName[] {
  return [...new Set(types.flatMap((type) => usesOf(type).map(limiterOf)))];
}

/** What a payload chooses; undefined where it leaves that to others, or its type has no choice. */
export function choiceOf({ uses }: Using, payload: unknown): string | undefined {
  return uses === undefined || typeof uses === 'string' ? undefined : memberOf(payload, uses.by);
}

/**
 * The payload with the choice that holds for it, as it is stored: a job that has begun at one provider must not go on at
 * another because the configuration changed meanwhile.
 */
export function withChoice({ uses }: Using, payload: unknown, defaults: DefaultChoices): unknown {
  if (uses === undefined || typeof uses === 'string' || uses.follows !== undefined) return payload;
  if (typeof payload !== 'object' || payload === null) return payload;
  return memberOf(payload, uses.by) === undefined ? { ...payload, [uses.by]: defaults[uses.by] } : payload;
}

/** A member of an object that is a text. */
export function memberOf(payload: unknown, name: string): string | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const value = Object.entries(payload).find(([member]) => member === name)?.[1];
  return typeof value === 'string' ? value : undefined;
}

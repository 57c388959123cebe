import type { z } from 'zod';
import type { TypedJobType } from '../catalogue/job-type';
import type { Logger } from '../platform/logger';
import type {
  DoneAnswer,
  HeldAnswer,
  LookupAnswer,
  PlainAnswer,
  PlainLookup,
  ProviderAnswer,
} from '../providers/answer';
import type { HandlerOutcome } from './outcome';

export type { DoneAnswer, HeldAnswer, LookupAnswer, ProviderAnswer } from '../providers/answer';

/** What every call to a provider gets. */
export interface CallLimits {
  timeoutMs: number;
  signal: AbortSignal;
}

/** A lookup also knows how long ago the effect was first asked for, in milliseconds. */
export interface LookupLimits extends CallLimits {
  askedMsAgo: number;
}

/**
 * An effect whose provider takes a key from us. Asked again with the same key it happens once; when the provider no longer
 * remembers the key, it is asked whether the effect happened.
 */
export interface KeyedEffect<Value> {
  /** Names the effect within the job; a job that has several gives each its own. */
  name: string;
  /** What is about to be asked, for the ledger. No secrets, no personal data. */
  intent: Record<string, unknown>;
  value: z.ZodType<Value>;
  /** How long the provider certainly remembers a key. */
  keyWindowMs: number;
  /** How much later than an effect the provider's search finds it. */
  searchLagMs: number;
  call: (
    providerKey: string,
    limits: CallLimits & { onLateAnswer: (answer: ProviderAnswer<Value>) => void },
  ) => Promise<ProviderAnswer<Value>>;
  find: (providerKey: string, limits: LookupLimits) => Promise<LookupAnswer<Value>>;
  /** Of an effect that its provider may hold back until its customer acts; in doubt then, where this is absent. */
  held?: HeldEffect<Value>;
}

/** How an effect that is held back ends. */
export interface HeldEffect<Value> {
  /** How long after it was first asked for the customer may act. */
  waitMs: number;
  /** Asks for its state. To give up means to see to it that it can no longer happen, if it has not. */
  look: (reference: string, limits: CallLimits & { giveUp: boolean }) => Promise<HeldAnswer<Value>>;
}

/**
 * What becomes of an effect without a key when nobody knows whether an earlier call made it happen. At least once: it is
 * asked for again, and may happen twice (a receipt). At most once: it is not, and may never have happened (a code to log
 * in with); the job fails as UNKNOWN_DELIVERY.
 */
export type RepeatPolicy = 'atLeastOnce' | 'atMostOnce';

/** An effect whose provider takes no key from us. */
export interface UnkeyedEffect<Value> {
  /** Names the effect within the job; a job that has several gives each its own. */
  name: string;
  /** What is about to be asked, for the ledger. No secrets, no personal data. */
  intent: Record<string, unknown>;
  value: z.ZodType<Value>;
  policy: RepeatPolicy;
  call: (limits: CallLimits) => Promise<PlainAnswer<Value>>;
  /** Absent where the provider cannot be asked whether it happened. */
  lookup?: EffectLookup<Value>;
}

/**
 * Asks whether an earlier call made an effect happen. That it did is believed; that it did not is what the provider knows
 * so far, so that another call still counts as one that may make it happen twice.
 */
export interface EffectLookup<Value> {
  /** How long after a call was given up the provider may still carry it out, and list it. */
  lagMs: number;
  find: (made: CallTime, limits: CallLimits) => Promise<PlainLookup<Value>>;
}

/** When the calls of one effect were made, by our clock. */
export interface CallTime {
  from: Date;
  until: Date;
}

export type EffectResult<Value> =
  | DoneAnswer<Value>
  | { kind: 'declined'; code: string; message: string }
  /** The attempt ends here; return `outcome` as it is. */
  | { kind: 'ended'; outcome: HandlerOutcome<never> };

export interface Effects {
  perform<Value>(effect: KeyedEffect<Value>): Promise<EffectResult<Value>>;
  perform<Value>(effect: UnkeyedEffect<Value>): Promise<EffectResult<Value>>;
  /** Asks the provider something that changes nothing, within the limits of its account. */
  look<Value>(
    ask: (limits: CallLimits) => Promise<LookupAnswer<Value>>,
  ): Promise<LookupAnswer<Value> | Extract<EffectResult<never>, { kind: 'ended' }>>;
}

export interface HandlerContext {
  jobId: string;
  /** The `source` of the request: who asked. */
  source: string;
  /** The idempotency key is the caller's own, not the default one; undefined in the lower tiers, which do not tell. */
  hasOwnKey: boolean | undefined;
  /** 1 for the first attempt. */
  attempt: number;
  /** Whoever says `retry` now has the job fail. */
  isLastAttempt: boolean;
  /** Aborts when the attempt's time is over or the process stops: leave as soon as you can. */
  signal: AbortSignal;
  log: Logger;
  /** Tells whoever looks at the job how far it is, in percent; nothing depends on it. Not kept for the money tier. */
  progress: (percent: number) => void;
  effects: Effects;
}

/** Runs one attempt of a job. */
export type Handler = (payload: unknown, context: HandlerContext) => Promise<HandlerOutcome<unknown>>;

/** A handler for a job type; its payload is parsed again by the type's schema, which fills in defaults. */
export function defineHandler<Payload, Result>(
  type: TypedJobType<string, Payload, Result>,
  handle: (payload: Payload, context: HandlerContext) => Promise<HandlerOutcome<Result>>,
): [string, Handler] {
  return [type.name, (payload, context) => handle(type.payload.parse(payload), context)];
}

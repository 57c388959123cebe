/**
 * What an answer tells of the provider's own state. `busy`: it gets too many requests. `down`: no answer, or none with
 * sense (no connection, time-out, 5xx). `unheard`: we stopped listening. Any other answer shows that it works.
 */
export type Trouble = 'busy' | 'down' | 'unheard';

/**
 * What a provider said, in the only five words that the rest of the service needs. Every adapter maps its SDK's results
 * and errors to these once, in its own folder; nothing above the providers knows an SDK's error class.
 */
export type ProviderAnswer<Value> =
  | DoneAnswer<Value>
  /** The provider holds the effect back until its customer acts (3-D Secure). `reference` names the held object. */
  | { kind: 'action'; code: string; message: string; reference: string }
  /**
   * A definite no: nothing happened, and asking the same again will not help (declined card, invalid request).
   * `aboutKey`: it is the provider's verdict on our key, so no earlier call under that key can have succeeded. Without it
   * the provider only refused this call, before it looked at the key.
   */
  | { kind: 'declined'; code: string; message: string; reference?: string; aboutKey?: true; trouble?: Trouble }
  /** A definite no that may pass: nothing happened, a later try may succeed (429, connection refused, wrong credentials). */
  | { kind: 'refused'; code: string; message: string; retryAfterMs?: number; trouble?: Trouble }
  /**
   * It may or may not have happened (time-out, reset, 5xx, the key is in use by an earlier call). `replayed` is true
   * when asking with that key will never say anything else: the provider repeated a stored failure, or holds the key for
   * other parameters. `underWay`: the provider takes its time, and no attempt is spent on asking again with that key
   * until it is settled, `withinMs` after the job was first started.
   */
  | { kind: 'unknown'; code: string; message: string; replayed?: boolean; trouble?: Trouble; underWay?: UnderWay };

/** Milliseconds: after how many to ask again, and for how many in all. */
export interface UnderWay {
  againMs: number;
  withinMs: number;
}

/** From a provider that holds nothing back for its customer. */
export type PlainAnswer<Value> = Exclude<ProviderAnswer<Value>, { kind: 'action' }>;

/** Everything that an error of such a provider can mean; an error never means that the effect happened. */
export type FailureAnswer = Exclude<PlainAnswer<never>, DoneAnswer<never>>;

/** The caller stopped before the request left. */
export const ABORTED_BEFORE = {
  kind: 'refused',
  code: 'ABORTED',
  message: 'Stopped before anything was sent',
  trouble: 'unheard',
} as const satisfies FailureAnswer;

/** The effect happened; `reference` is the provider's own id of it. */
export interface DoneAnswer<Value> {
  kind: 'done';
  value: Value;
  reference: string;
}

/** The answer to "did this happen?". `absent` is only as good as the provider's search is fresh. */
export type LookupAnswer<Value> =
  | DoneAnswer<Value>
  | { kind: 'action'; code: string; message: string; reference: string }
  | { kind: 'absent' }
  | UnknownLookup;

/** Nobody can tell. */
export interface UnknownLookup {
  kind: 'unknown';
  code: string;
  message: string;
  trouble?: Trouble;
  retryAfterMs?: number;
}

/** A failure as the answer to a question: whatever went wrong, nothing is known. */
export function unknownLookup({ code, message, ...rest }: FailureAnswer): UnknownLookup {
  const trouble = 'trouble' in rest && rest.trouble !== undefined ? { trouble: rest.trouble } : {};
  const retryAfterMs =
    'retryAfterMs' in rest && rest.retryAfterMs !== undefined ? { retryAfterMs: rest.retryAfterMs } : {};
  return { kind: 'unknown', code, message, ...trouble, ...retryAfterMs };
}

/** From a provider that holds nothing back for its customer. */
export type PlainLookup<Value> = Exclude<LookupAnswer<Value>, { kind: 'action' }>;

/**
 * The answer to "what became of the effect that you held back?". `declined`: it did not happen and can no longer happen,
 * whatever the customer still does.
 */
export type HeldAnswer<Value> = Exclude<ProviderAnswer<Value>, { kind: 'refused' }>;

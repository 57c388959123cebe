/** How a call for an effect, or a lookup, keeps to its caller's limits, whatever SDK makes it. */
import {
  ABORTED_BEFORE,
  unknownLookup,
  type FailureAnswer,
  type HeldAnswer,
  type LookupAnswer,
  type ProviderAnswer,
  type UnknownLookup,
} from './answer';

export interface LookupCall {
  /** From the start of a request to the last byte of its answer. */
  timeoutMs: number;
  /** Aborting resolves the call at once as `unknown` and keeps back a request that has not left yet. */
  signal: AbortSignal;
}

export interface EffectCall<Value> extends LookupCall {
  /** What the provider knows the effect by: its idempotency key is this, or made of it, and lookups search for it. */
  providerKey: string;
  /**
   * Called when the real answer arrives after `signal` had aborted the call, unless it says nothing (`unknown`). A
   * request that had left is waited for until `timeoutMs`, so a time-out beyond the abort catches more. Must not throw.
   */
  onLateAnswer?: (answer: ProviderAnswer<Value>) => void;
}

/** Makes a call and reads its errors. Never rejects. */
type Asking<Answer> = () => Promise<Answer | FailureAnswer>;

/** Asks for an effect, unless the caller has stopped already. */
export async function act<Value, Answer extends ProviderAnswer<Value>>(
  call: EffectCall<Value>,
  provider: string,
  ask: Asking<Answer>,
): Promise<Answer | FailureAnswer> {
  if (call.signal.aborted) return ABORTED_BEFORE;
  return untilAborted(ask(), call.signal, provider, (answer) => {
    if (answer.kind !== 'unknown') call.onLateAnswer?.(answer);
  });
}

/** Asks what is there, unless the caller has stopped already; an error is no answer to that. */
export async function look<Answer extends LookupAnswer<unknown> | HeldAnswer<unknown>>(
  call: LookupCall,
  provider: string,
  ask: () => Promise<Answer>,
  readError: (thrown: unknown) => FailureAnswer,
): Promise<Answer | UnknownLookup> {
  if (call.signal.aborted) return aborted(provider);
  const answering = ask().catch((error: unknown) => unknownLookup(readError(error)));
  return untilAborted(answering, call.signal, provider, () => {});
}

function aborted(provider: string) {
  return { kind: 'unknown', code: 'ABORTED', message: `Stopped waiting for ${provider}`, trouble: 'unheard' } as const;
}

/** The answer, or that it was not waited for as soon as the signal says so; then it goes to `late` when it comes. */
function untilAborted<Answer>(
  answering: Promise<Answer>,
  signal: AbortSignal,
  provider: string,
  late: (answer: Answer) => void,
): Promise<Answer | ReturnType<typeof aborted>> {
  return new Promise((resolve, reject) => {
    const abort = () => resolve(aborted(provider));
    signal.addEventListener('abort', abort, { once: true });
    answering.then((answer) => {
      signal.removeEventListener('abort', abort);
      if (signal.aborted) late(answer);
      resolve(answer);
    }, reject);
  });
}

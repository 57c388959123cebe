/**
 * How a handler says that an attempt ended. Only `retry` spends an attempt. Nothing is signalled by an exception: one
 * that escapes a handler is a fault in it, and is treated as a retry.
 */
export type HandlerOutcome<Result> =
  | { kind: 'done'; result: Result }
  /** Try again after the queue's backoff, or `afterMs` if that is longer. */
  | { kind: 'retry'; code: string; message: string; afterMs?: number }
  /** Nothing went wrong, it is only too early. */
  | { kind: 'snooze'; code: string; afterMs: number }
  /**
   * Something must pass that time alone mends, and nothing happened meanwhile: looked at again after `afterMs`. Fails,
   * replayable, when it has not passed `withinMs` after the job was first started; a replay starts anew,
   * and so does a job in doubt that a person settled.
   */
  | { kind: 'wait'; code: string; message: string; afterMs: number; withinMs: number }
  | { kind: 'failed'; code: string; message: string; replayable: boolean }
  /** What happened outside cannot be told; nothing runs again until somebody or something can. */
  | { kind: 'inDoubt'; code: string; message: string }
  /**
   * Somebody outside must act before the job can end (3-D Secure), which is told to the requester; whether it was done is
   * looked at after `againMs`. `reference` is the provider's id of what waits.
   */
  | { kind: 'attention'; code: string; message: string; reference: string; againMs: number }
  /** The job was to be cancelled and nothing had begun. */
  | { kind: 'cancelled' };

export function done<Result>(result: Result): HandlerOutcome<Result> {
  return { kind: 'done', result };
}

export function failed(code: string, message: string, options: { replayable: boolean }): HandlerOutcome<never> {
  return { kind: 'failed', code, message, ...options };
}

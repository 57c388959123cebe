import type { Answered } from './circuit';

/** The leave to run one attempt of a job, and what is asked through it of the provider. */
export interface Pass {
  /** Has so many requests paid for; otherwise answers with how many milliseconds to wait. Asked before they are sent. */
  pay(requests: number): Promise<number | undefined>;
  /** As `pay`, but only has them ready: what is paid for in time is certain to be there. */
  reserve(requests: number): Promise<number | undefined>;
  /** Calls the provider. `Busy` when it must not be called now: nothing was sent. */
  call<Answer extends Answered>(ask: () => Promise<Answer>): Promise<Answer | Busy>;
  /** Nothing is called any more. Safe to call twice; never rejects. */
  release(): Promise<void>;
}

/** Of jobs that use no provider's account. */
export const FREE_PASS: Pass = {
  pay: () => Promise.resolve(undefined),
  reserve: () => Promise.resolve(undefined),
  call: (ask) => ask(),
  release: () => Promise.resolve(),
};

/** A definite no that passes by itself, in the words in which providers answer. */
export interface Busy {
  kind: 'refused';
  code: 'CIRCUIT_OPEN';
  message: string;
  trouble: 'busy';
  retryAfterMs: number;
}

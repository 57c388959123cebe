import type { HandlerContext } from '../../src/handlers/handler';
import { uuidV7 } from '../../src/platform/ids';
import { silentLog } from './records';

/** One attempt, without a ledger of effects: its handler must not ask for one. */
export function contextOf(over: Partial<HandlerContext> = {}): HandlerContext {
  const never = () => Promise.reject(new Error('no effect was expected'));
  return {
    jobId: uuidV7(),
    source: '/test',
    hasOwnKey: undefined,
    attempt: 1,
    isLastAttempt: false,
    signal: new AbortController().signal,
    log: silentLog,
    progress: () => undefined,
    effects: { perform: never, look: never },
    ...over,
  };
}

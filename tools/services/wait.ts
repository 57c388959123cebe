import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until `check` says true. A check that throws ends the wait at once: the thing cannot come any more. */
export async function waitFor(
  what: string,
  limitMs: number,
  check: () => boolean | Promise<boolean>,
  everyMs = 50,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`${what}: gave up after ${Math.round(limitMs / 1000)} s`);
    await sleep(everyMs);
  }
}

export async function withLimit<Value>(what: string, limitMs: number, work: Promise<Value>): Promise<Value> {
  const ended = new AbortController();
  const limit = sleep(limitMs, undefined, { signal: ended.signal }).then(
    () => {
      throw new Error(`${what}: no answer within ${limitMs} ms`);
    },
    // The abort below: the race is over, nobody looks at this value.
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([work, limit]);
  } finally {
    ended.abort();
  }
}

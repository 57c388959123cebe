import { setTimeout as delay } from 'node:timers/promises';

const EVERY_MS = 20;

/**
 * Waits for a condition by asking again and again, and fails with what `what` says when it does not come true in time.
 * The time limit only ends a test that has failed already: nothing is concluded from how long something took.
 */
export async function eventually<Value>(
  what: string,
  look: () => Promise<Value | undefined | false | null> | Value | undefined | false | null,
  limitMs = 30_000,
): Promise<Value> {
  const until = performance.now() + limitMs;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false && value !== null) return value;
    if (performance.now() > until) throw new Error(`waited ${limitMs} ms in vain: ${what}`);
    await delay(EVERY_MS);
  }
}

/** A promise with its resolve function, for tests that hold something back until they let it go. */
export function gate<Value = void>(): { opened: Promise<Value>; open: (value: Value) => void } {
  let open: (value: Value) => void = () => undefined;
  const opened = new Promise<Value>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

import { catchSignals, exitCodeOf } from '../services/signals';
import { Cleanup } from './cleanup';

/** How a run came to its end. */
export interface End {
  code: number;
  /** What was started stays up until somebody stops it by a signal; then `code` still counts. */
  keep: boolean;
}

/** Runs something that starts processes, until its end or a signal, and stops what it started. Resolves with the exit code. */
export async function launch(run: (cleanup: Cleanup, interruption: AbortSignal) => Promise<End>): Promise<number> {
  const signals = catchSignals();
  const interruption = new AbortController();
  signals.forward = () => interruption.abort();
  const cleanup = new Cleanup();
  const interrupted = new Promise<undefined>((resolve) => {
    interruption.signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  try {
    // What a Ctrl-C makes fail on its way is no failure of the run.
    const running = run(cleanup, interruption.signal).catch((error: unknown) => {
      if (signals.first === undefined) throw error;
      return undefined;
    });
    const end = await Promise.race([running, interrupted]);
    if (end?.keep) await interrupted;
    if (signals.first !== undefined) console.log(`\n${signals.first}: stopping what was started`);
    if (end) return end.code;
    return signals.first === undefined ? 1 : exitCodeOf(signals.first);
  } finally {
    for (const failure of await cleanup.run()) console.error(`not stopped: ${failure}`);
    signals.release();
  }
}

/** For a launcher's last line: its exit code becomes ours, and an error is told by its message. */
export function exitWith(running: Promise<number>): void {
  running.then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    },
  );
}

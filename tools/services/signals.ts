import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface CaughtSignals {
  first: NodeJS.Signals | undefined;
  forward: (signal: NodeJS.Signals) => void;
  release(): void;
}

/** Instead of ending at once: the caller first stops what it started. */
export function catchSignals(): CaughtSignals {
  const caught: CaughtSignals = {
    first: undefined,
    forward: () => {},
    release: () => SIGNALS.forEach((name) => process.removeListener(name, handle)),
  };
  // A Ctrl-C reaches the whole process group and is forwarded to us as well: only the first of a kind counts.
  const handle = (signal: NodeJS.Signals): void => {
    if (caught.first !== undefined) return;
    caught.first = signal;
    caught.forward(signal);
  };
  for (const name of SIGNALS) process.on(name, handle);
  return caught;
}

/** As shells report a death by signal. */
export const exitCodeOf = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];

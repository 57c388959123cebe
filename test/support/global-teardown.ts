import type { Config } from 'jest';
import { stopStartedServices } from './global-setup';

/** How long connections and timers that a test forgot may keep the finished run alive. */
const EXIT_LIMIT_MS = 20_000;

export default async function globalTeardown(config: Pick<Config, 'watch' | 'watchAll'>): Promise<void> {
  await stopStartedServices();
  if (config.watch || config.watchAll) return;
  const limit = setTimeout(() => {
    const open = process.getActiveResourcesInfo().join(', ');
    process.stderr.write(`The tests are done, but something they left open keeps the process alive: ${open}\n`);
    process.exit(1);
  }, EXIT_LIMIT_MS);
  // It must not be the thing that keeps the process alive.
  limit.unref();
}

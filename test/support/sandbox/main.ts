/**
 * Sandboxes in a process of their own: `main.ts --stripe 12111` prints one JSON line for each when it listens. Port 0
 * takes a free one. Ends on SIGTERM or SIGINT.
 */
import { parseArgs } from 'node:util';
import { startStripeSandbox } from './stripe/sandbox';

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { stripe: { type: 'string' }, 'indexing-delay-ms': { type: 'string' } } });
  const port = Number(values.stripe);
  const indexingDelayMs = Number(values['indexing-delay-ms'] ?? 0);
  if (!Number.isInteger(port) || !(indexingDelayMs >= 0)) {
    throw new TypeError('Usage: main.ts --stripe PORT [--indexing-delay-ms MILLISECONDS]');
  }
  const stripe = await startStripeSandbox({ port, indexingDelayMs });
  console.log(JSON.stringify({ provider: 'stripe', url: stripe.url }));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stripe.close());
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

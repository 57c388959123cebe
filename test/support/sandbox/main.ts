/**
 * Sandboxes in a process of their own: `main.ts --stripe 12111 --sendgrid 12112` prints one JSON line for each when it
 * listens. Port 0 takes a free one; `--host 0.0.0.0` lets other machines in. Ends on SIGTERM or SIGINT.
 */
import { parseArgs } from 'node:util';
import { startSendGridSandbox } from './sendgrid/sandbox';
import { startStripeSandbox } from './stripe/sandbox';

const USAGE = 'Usage: main.ts [--stripe PORT] [--sendgrid PORT] [--host ADDRESS] [--indexing-delay-ms MILLISECONDS]';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      stripe: { type: 'string' },
      sendgrid: { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
      'indexing-delay-ms': { type: 'string', default: '0' },
    },
  });
  const { host } = values;
  const indexingDelayMs = wholeNumber(values['indexing-delay-ms']);
  const sandboxes: { provider: string; start: () => Promise<{ url: string; close(): Promise<void> }> }[] = [];
  if (values.stripe !== undefined) {
    const port = wholeNumber(values.stripe);
    sandboxes.push({ provider: 'stripe', start: () => startStripeSandbox({ host, port, indexingDelayMs }) });
  }
  if (values.sendgrid !== undefined) {
    const port = wholeNumber(values.sendgrid);
    sandboxes.push({ provider: 'sendgrid', start: () => startSendGridSandbox({ host, port }) });
  }
  if (sandboxes.length === 0) throw new TypeError(USAGE);
  for (const { provider, start } of sandboxes) {
    const sandbox = await start();
    console.log(JSON.stringify({ provider, url: sandbox.url }));
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void sandbox.close());
  }
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new TypeError(USAGE);
  return Number(text);
}

main().catch((error: unknown) => {
  console.error(error);
  // Also when another sandbox listens already.
  process.exit(1);
});

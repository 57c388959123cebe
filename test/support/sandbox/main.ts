/**
 * Sandboxes in a process of their own: `main.ts --stripe 12111 --sendgrid 12112` prints one JSON line for each when it
 * listens. Port 0 takes a free one; `--host 0.0.0.0` lets other machines in. `--webhooks-to` names the address of the service's
 * endpoints for webhooks, without the provider. Ends on SIGTERM or SIGINT.
 */
import { parseArgs } from 'node:util';
import { startFcmSandbox } from './fcm/sandbox';
import { polygonVariables, solanaVariables } from '../minting';
import type { Address } from './http';
import { startPolygonSandbox } from './polygon/sandbox';
import { EventKey, SANDBOX_SEED } from './sendgrid/events';
import { startSendGridSandbox } from './sendgrid/sandbox';
import { startSolanaSandbox } from './solana/sandbox';
import { startSquareSandbox } from './square/sandbox';
import { startStripeSandbox } from './stripe/sandbox';
import { startTwilioSandbox } from './twilio/sandbox';
import { SANDBOX_STRIPE_SECRET } from './webhooks';

const PROVIDERS = ['stripe', 'square', 'sendgrid', 'twilio', 'fcm', 'polygon', 'solana'] as const;
const USAGE = `Usage: main.ts ${PROVIDERS.map((name) => `[--${name} PORT]`).join(' ')} [--host ADDRESS] [--indexing-delay-ms MILLISECONDS] [--webhooks-to URL]`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      stripe: { type: 'string' },
      square: { type: 'string' },
      sendgrid: { type: 'string' },
      twilio: { type: 'string' },
      fcm: { type: 'string' },
      polygon: { type: 'string' },
      solana: { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
      'indexing-delay-ms': { type: 'string', default: '0' },
      'webhooks-to': { type: 'string' },
    },
  });
  const indexingDelayMs = wholeNumber(values['indexing-delay-ms']);
  const to = values['webhooks-to'];
  const stripe = to && { webhooks: { url: `${to}/stripe`, secret: SANDBOX_STRIPE_SECRET } };
  const sendgrid = to && { webhooks: { url: `${to}/sendgrid`, key: new EventKey(SANDBOX_SEED) } };
  const starts = {
    stripe: (address: Address) => startStripeSandbox({ ...address, indexingDelayMs, ...stripe }),
    square: startSquareSandbox,
    sendgrid: (address: Address) => startSendGridSandbox({ ...address, ...sendgrid }),
    // It is told by each message where to report.
    twilio: (address: Address) => startTwilioSandbox({ ...address, delivers: true }),
    fcm: startFcmSandbox,
    polygon: startPolygon,
    solana: startSolana,
  };
  const wanted = PROVIDERS.filter((provider) => values[provider] !== undefined);
  if (wanted.length === 0) throw new TypeError(USAGE);
  for (const provider of wanted) {
    const sandbox = await starts[provider]({ host: values.host, port: wholeNumber(values[provider] ?? '') });
    const variables = 'variables' in sandbox ? { variables: sandbox.variables } : {};
    console.log(JSON.stringify({ provider, url: sandbox.url, ...variables }));
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void sandbox.close());
  }
}

/** With a signer of its own: databases that outlive the chain would remember the nonces of the usual one. */
async function startPolygon(address: Address) {
  const sandbox = await startPolygonSandbox(address);
  const { key } = await sandbox.fundedKey();
  return { ...sandbox, variables: { ...polygonVariables(sandbox), POLYGON_SIGNER_KEY: key } };
}

async function startSolana(address: Address) {
  const sandbox = await startSolanaSandbox({ ...address, slotMs: 400 });
  return { ...sandbox, variables: solanaVariables(sandbox) };
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

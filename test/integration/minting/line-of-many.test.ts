import { randomUUID } from 'node:crypto';
import { untilCompleted } from '../../support/many-jobs';
import { openHarness, type Harness } from '../../support/harness';
import { hasty, mintPayload, polygonVariables, solanaVariables } from '../../support/minting';
import { quick } from '../../support/money';
import type { Fault, FaultHandle } from '../../support/sandbox/faults';
import { startPolygonSandbox } from '../../support/sandbox/polygon/sandbox';
import { startSolanaSandbox } from '../../support/sandbox/solana/sandbox';

const REPLICAS = 3;
const MINTS = 300;
/** Of these many, on two busy cores. */
const LIMIT_MS = 280_000;

let harness: Harness;
const closing: { close: () => Promise<void> }[] = [];

beforeEach(async () => {
  harness = await openHarness();
});
afterEach(async () => {
  await harness?.close();
  for (const one of closing.splice(0)) await one.close();
});
jest.setTimeout(LIMIT_MS + 30_000);

/** A tenth of the sends fails: half of them are not taken, of the other half nobody hears that they were. */
function failSends({ fault }: { fault: (fault: Fault) => FaultHandle }, path: string): FaultHandle[] {
  return [
    fault({ kind: 'reset-before', probability: 0.05, seed: 7, match: { path } }),
    fault({ kind: 'lose-answer', probability: 0.05, seed: 8, match: { path } }),
  ];
}

/** Until all are completed. */
async function mintAll(chain: 'polygon' | 'solana', variables: Record<string, string>): Promise<void> {
  const tune = (config: Parameters<typeof hasty>[0]) => hasty(quick(config));
  await Promise.all(Array.from({ length: REPLICAS }, () => harness.startService({}, tune, variables)));
  const tickets = Array.from({ length: MINTS }, () => mintPayload({ chain }));
  await Promise.all(
    tickets.map((data) => harness.bus.request({ type: 'nft-mint', data, idempotencyKey: randomUUID() })),
  );
  await untilCompleted(harness.environment.pool, MINTS, LIMIT_MS);
}

it('pain 38: three replicas mint 300 tickets with one signer while a tenth of the sends fails: each once, no nonce left out', async () => {
  const polygon = await startPolygonSandbox({ blockTime: 1 });
  closing.push(polygon);
  const faults = failSends(polygon, '/eth_sendRawTransaction');

  await mintAll('polygon', polygonVariables(polygon));

  for (const fault of faults) expect(fault.hits()).toBeGreaterThan(0);
  const tokens = await polygon.ledger();
  expect(new Set(tokens.map(({ tokenId }) => tokenId)).size).toBe(MINTS);
  expect(tokens).toHaveLength(MINTS);
  expect(await polygon.nonces()).toEqual(Array.from({ length: MINTS }, (_, nonce) => nonce));
});

it('pain 39: three replicas mint 300 tickets on Solana while a tenth of the sends fails: each once, by the one that was signed', async () => {
  const solana = await startSolanaSandbox({ slotMs: 100 });
  closing.push(solana);
  const faults = failSends(solana, '/sendTransaction');

  await mintAll('solana', solanaVariables(solana));

  for (const fault of faults) expect(fault.hits()).toBeGreaterThan(0);
  expect(solana.ledger()).toHaveLength(MINTS);
  expect(solana.ledger().filter(({ did }) => !did)).toEqual([]);
  const { rows } = await harness.environment.pool.query('SELECT signature FROM solana_transactions');
  const signed = rows.map(({ signature }) => String(signature)).toSorted();
  expect(signed).toEqual(
    solana
      .ledger()
      .map(({ signature }) => signature)
      .toSorted(),
  );
});

import { randomUUID } from 'node:crypto';
import { untilCompleted } from '../../support/many-jobs';
import { openHarness, type Harness } from '../../support/harness';
import { hasty, mintPayload, polygonVariables } from '../../support/minting';
import { quick } from '../../support/money';
import { startPolygonSandbox, type PolygonSandbox } from '../../support/sandbox/polygon/sandbox';

const REPLICAS = 3;
const MINTS = 300;
/** Of these many, on two busy cores. */
const LIMIT_MS = 240_000;

let harness: Harness;
let polygon: PolygonSandbox;

beforeEach(async () => {
  harness = await openHarness();
  polygon = await startPolygonSandbox({ blockTime: 1 });
});
afterEach(async () => {
  await harness?.close();
  await polygon?.close();
});
jest.setTimeout(LIMIT_MS + 30_000);

it('pain 38: three replicas mint 300 tickets with one signer while a tenth of the sends fails: each once, no nonce left out', async () => {
  const before = { kind: 'reset-before', probability: 0.05, seed: 7 } as const;
  const after = { kind: 'lose-answer', probability: 0.05, seed: 8 } as const;
  const faults = [before, after].map((fault) =>
    polygon.fault({ ...fault, match: { path: '/eth_sendRawTransaction' } }),
  );
  const tune = (config: Parameters<typeof hasty>[0]) => hasty(quick(config));
  const variables = polygonVariables(polygon);
  await Promise.all(Array.from({ length: REPLICAS }, () => harness.startService({}, tune, variables)));

  const tickets = Array.from({ length: MINTS }, () => mintPayload());
  await Promise.all(
    tickets.map((data) => harness.bus.request({ type: 'nft-mint', data, idempotencyKey: randomUUID() })),
  );
  await untilCompleted(harness.environment.pool, MINTS, LIMIT_MS);

  for (const fault of faults) expect(fault.hits()).toBeGreaterThan(0);
  const tokens = await polygon.ledger();
  expect(new Set(tokens.map(({ tokenId }) => tokenId)).size).toBe(MINTS);
  expect(tokens).toHaveLength(MINTS);
  expect(await polygon.nonces()).toEqual(Array.from({ length: MINTS }, (_, nonce) => nonce));
});

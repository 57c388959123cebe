/** A worker is killed at each step of a mint, by a node that holds back its answer until it is dead. */
import { rmSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { buildChild, CrashProcess } from '../../support/crash-process';
import { openHarness, type Harness } from '../../support/harness';
import { mintPayload, polygonVariables } from '../../support/minting';
import { startPolygonSandbox, type PolygonSandbox } from '../../support/sandbox/polygon/sandbox';

let harness: Harness;
let sandbox: PolygonSandbox;
let folder: string;
const processes: CrashProcess[] = [];

beforeAll(() => {
  ({ folder } = buildChild());
});
beforeEach(async () => {
  harness = await openHarness();
  sandbox = await startPolygonSandbox();
});
afterEach(async () => {
  for (const one of processes.splice(0)) one.end();
  await harness?.close();
  await sandbox?.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function startProcess(): Promise<CrashProcess> {
  const variables = { ...harness.environment.variables, ...polygonVariables(sandbox) };
  const started = new CrashProcess(variables, { token: path.join(folder, randomUUID()) });
  processes.push(started);
  await started.started();
  return started;
}

it.each([
  ['before anything is recorded', '/eth_estimateGas'],
  ['when the transaction is recorded and not sent', '/eth_sendRawTransaction'],
  ['when it is sent and in a block', '/eth_getTransactionReceipt'],
  ['when it is confirmed and not yet told', '/eth_blockNumber'],
])('%s: the next one mints it once', async (_, path) => {
  const held = sandbox.fault({ kind: 'slow', match: { path } });
  const victim = await startProcess();
  const id = await harness.bus.request({ type: 'nft-mint', data: mintPayload(), idempotencyKey: randomUUID() });
  await held.reached;
  victim.end();
  held.release();
  await startProcess();

  const { data: outcome } = await harness.bus.outcomeOf(id, 'completed', 40_000);

  const tokens = await sandbox.ledger();
  expect(tokens).toHaveLength(1);
  expect(outcome).toMatchObject({ result: { transactionSignature: tokens[0]?.transactionHash } });
  expect(await sandbox.nonces()).toEqual([0]);
});

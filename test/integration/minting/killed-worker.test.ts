/** A worker is killed at each step of a mint, by a node that holds back its answer until it is dead. */
import { rmSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { buildChild, CrashProcess } from '../../support/crash-process';
import { openHarness, type Harness } from '../../support/harness';
import type { FaultHandle } from '../../support/sandbox/faults';
import { mintPayload, polygonVariables, solanaVariables } from '../../support/minting';
import { startPolygonSandbox } from '../../support/sandbox/polygon/sandbox';
import { startSolanaSandbox } from '../../support/sandbox/solana/sandbox';

let harness: Harness;
const closing: { close: () => Promise<void> }[] = [];
let folder: string;
const processes: CrashProcess[] = [];

beforeAll(() => {
  ({ folder } = buildChild());
});
beforeEach(async () => {
  harness = await openHarness();
});
afterEach(async () => {
  for (const one of processes.splice(0)) one.end();
  await harness?.close();
  for (const one of closing.splice(0)) await one.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function startProcess(chain: Record<string, string>): Promise<CrashProcess> {
  const variables = { ...harness.environment.variables, ...chain };
  const started = new CrashProcess(variables, { token: path.join(folder, randomUUID()) });
  processes.push(started);
  await started.started();
  return started;
}

/** Kills the worker while the node holds back its answer to `held`, and lets another one end the mint. */
async function mintByTwo(
  chain: 'polygon' | 'solana',
  variables: Record<string, string>,
  hold: () => Promise<FaultHandle>,
): Promise<unknown> {
  const victim = await startProcess(variables);
  const data = mintPayload({ chain });
  const id = await harness.bus.request({ type: 'nft-mint', data, idempotencyKey: randomUUID() });
  const held = await hold();
  await held.reached;
  victim.end();
  held.release();
  await startProcess(variables);
  const { data: outcome } = await harness.bus.outcomeOf(id, 'completed', 60_000);
  return outcome.result;
}

it.each([
  ['before anything is recorded', '/eth_estimateGas'],
  ['when the transaction is recorded and not sent', '/eth_sendRawTransaction'],
  ['when it is sent and in a block', '/eth_getTransactionReceipt'],
  ['when it is confirmed and not yet told', '/eth_blockNumber'],
])('on Polygon, %s: the next one mints it once', async (_, path) => {
  const sandbox = await startPolygonSandbox();
  closing.push(sandbox);
  const held = sandbox.fault({ kind: 'slow', match: { path } });

  const result = await mintByTwo('polygon', polygonVariables(sandbox), () => Promise.resolve(held));

  const tokens = await sandbox.ledger();
  expect(tokens).toHaveLength(1);
  expect(result).toMatchObject({ transactionSignature: tokens[0]?.transactionHash });
  expect(await sandbox.nonces()).toEqual([0]);
});

it.each([
  ['before anything is recorded', undefined, '/getMultipleAccounts'],
  ['when the transaction is recorded and not sent', undefined, '/sendTransaction'],
  ['when it is sent and in a block', '/sendTransaction', '/getSignatureStatuses'],
])('on Solana, %s: the next one mints it once', async (_, lost, path) => {
  const sandbox = await startSolanaSandbox();
  closing.push(sandbox);
  const hold = async () => {
    if (lost !== undefined) await sandbox.fault({ kind: 'lose-answer', match: { path: lost } }).reached;
    return sandbox.fault({ kind: 'slow', match: { path } });
  };
  const held = lost === undefined ? hold() : undefined;

  const result = await mintByTwo('solana', solanaVariables(sandbox), () => held ?? hold());

  const [transaction] = sandbox.ledger();
  expect(sandbox.ledger()).toEqual([{ signature: transaction?.signature, did: true }]);
  expect(result).toMatchObject({ transactionSignature: transaction?.signature });
});

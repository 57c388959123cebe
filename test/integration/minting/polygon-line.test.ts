/** A signer's line of transactions on a real node: what holds it up, and how it moves on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Transaction } from 'ethers';
import { z } from 'zod';
import type { Database } from '../../../src/platform/postgres/database';
import { eventually, openHarness, type Harness } from '../../support/harness';
import { mintCall, mintToEnd, polygonAdapter, ticket } from '../../support/minting';
import { openDatabase } from '../../support/records';
import { startPolygonSandbox, type PolygonSandbox } from '../../support/sandbox/polygon/sandbox';

let harness: Harness;
let database: Database;
let sandbox: PolygonSandbox;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'anvil-'));
  harness = await openHarness();
  database = openDatabase(harness.environment.variables['DATABASE_URL'] ?? '');
  sandbox = await startPolygonSandbox({ stateFile: path.join(folder, 'state.json') });
});
afterEach(async () => {
  await database?.close();
  await harness?.close();
  await sandbox?.close();
  rmSync(folder, { recursive: true, force: true });
});

const SEND = { path: '/eth_sendRawTransaction' };
const minting = (on: boolean) => sandbox.node.ask('evm_setAutomine', [on]);
const mine = () => sandbox.node.ask('evm_mine');

const signed = z.array(z.object({ nonce: z.string(), version: z.number(), raw: z.string(), hash: z.string() }));
async function recorded(): Promise<z.infer<typeof signed>> {
  const { rows } = await harness.environment.pool.query(
    'SELECT nonce, version, raw, hash FROM evm_transactions ORDER BY nonce, version',
  );
  return signed.parse(rows);
}

it('a transaction that no block takes is replaced by the same call for more, under its nonce and key', async () => {
  await minting(false);
  const [request, call] = [ticket(), mintCall()];
  expect(await polygonAdapter(sandbox, database).mint(request, call)).toMatchObject({ code: 'SENT' });

  const impatient = polygonAdapter(sandbox, database, { stuckAfterMs: 1 });
  expect(await impatient.mint(request, call)).toMatchObject({ code: 'SENT' });

  const versions = (await recorded()).map(({ raw }) => Transaction.from(raw));
  const [before, after] = versions;
  expect(versions.length).toBe(2);
  expect(after).toMatchObject({ nonce: before?.nonce, to: before?.to, data: before?.data, gasLimit: before?.gasLimit });
  expect(Number(after?.maxFeePerGas)).toBeGreaterThan(1.1 * Number(before?.maxFeePerGas));
  expect(Number(after?.maxPriorityFeePerGas)).toBeGreaterThan(1.1 * Number(before?.maxPriorityFeePerGas));
  await mine();
  expect(await mintToEnd(impatient, request, call)).toMatchObject({ kind: 'done', reference: after?.hash });
  expect(await sandbox.ledger()).toHaveLength(1);
});

it('fees are not raised beyond five times what the chain asks', async () => {
  await minting(false);
  const impatient = polygonAdapter(sandbox, database, { stuckAfterMs: 0 });
  const [request, call] = [ticket(), mintCall()];
  for (let looks = 0; looks < 20; looks += 1) await impatient.mint(request, call);

  const fees = (await recorded()).map(({ raw }) => Number(Transaction.from(raw).maxFeePerGas));
  expect(fees.at(-1)).toBeLessThanOrEqual(5 * (fees[0] ?? 0));
  expect(fees.length).toBeLessThan(10);
});

it('whoever waits behind a transaction that never left sends it: its own job may never run again', async () => {
  const polygon = polygonAdapter(sandbox, database);
  sandbox.fault({ kind: 'reset-before', match: SEND });
  expect(await polygon.mint(ticket(), mintCall())).toMatchObject({ kind: 'unknown' });

  expect(await mintToEnd(polygon, ticket())).toMatchObject({ kind: 'done' });

  expect(await sandbox.nonces()).toEqual([0, 1]);
  expect(await sandbox.ledger()).toHaveLength(2);
});

it('a call that can do nothing any more still gives its nonce to the line', async () => {
  const polygon = polygonAdapter(sandbox, database);
  const request = ticket();
  sandbox.fault({ kind: 'reset-before', match: SEND });
  await polygon.mint(request, mintCall());
  // Somebody else mints it meanwhile; what is recorded reverts.
  const other = polygonAdapter(sandbox, database, { signerKey: (await sandbox.fundedKey()).key });
  await mintToEnd(other, { ...request, recipient: sandbox.signer.address });

  expect(await mintToEnd(polygon, ticket())).toMatchObject({ kind: 'done' });

  expect(await sandbox.nonces()).toEqual([0, 1]);
});

it('a mint does not count before its confirmations, and is sent again when its block is taken back', async () => {
  const patient = polygonAdapter(sandbox, database, { confirmations: 3 });
  const [request, call] = [ticket(), mintCall()];
  await patient.mint(request, call);
  expect(await patient.mint(request, call)).toMatchObject({ code: 'AWAITING_CONFIRMATIONS', kind: 'unknown' });

  await minting(false);
  await sandbox.node.ask('anvil_reorg', [1, []]);
  await sandbox.node.ask('anvil_dropAllTransactions');
  expect(await sandbox.ledger()).toEqual([]);
  expect(await patient.mint(request, call)).toMatchObject({ code: 'SENT' });
  for (let blocks = 0; blocks < 3; blocks += 1) await mine();

  const [token] = await sandbox.ledger();
  expect(await patient.mint(request, call)).toMatchObject({ kind: 'done', reference: token?.transactionHash });
  expect(await sandbox.nonces()).toEqual([0]);
});

it('a nonce that another program took for good is told, and the next key gets another one', async () => {
  const polygon = polygonAdapter(sandbox, database);
  sandbox.fault({ kind: 'reset-before', match: SEND });
  const [request, call] = [ticket(), mintCall()];
  await polygon.mint(request, call);
  await sandbox.node.ask('eth_sendTransaction', [
    { from: sandbox.signer.address, to: sandbox.contract, data: '0x' + 'ac9650d8'.padEnd(8, '0'), gas: '0x30000' },
  ]);

  expect(await polygon.mint(request, call)).toMatchObject({ kind: 'declined', code: 'NONCE_TAKEN', aboutKey: true });

  expect(await mintToEnd(polygon, request)).toMatchObject({ kind: 'done' });
  expect(await sandbox.nonces()).toEqual([0, 1]);
});

it('a node that is killed and started again is sent what it has lost', async () => {
  const polygon = polygonAdapter(sandbox, database);
  expect(await mintToEnd(polygon, ticket())).toMatchObject({ kind: 'done' });
  await eventually('the node has written it', () => sandbox.node.isWritten(1));
  await minting(false);
  const [request, call] = [ticket(), mintCall()];
  await polygon.mint(request, call);

  const restarting = sandbox.node.restart();
  expect(await polygon.mint(request, call)).toMatchObject({ kind: 'unknown', underWay: expect.anything() });
  await restarting;

  expect(await mintToEnd(polygon, request, call)).toMatchObject({ kind: 'done' });
  expect(await sandbox.ledger()).toHaveLength(2);
  expect(await sandbox.nonces()).toEqual([0, 1]);
});

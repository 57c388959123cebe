/** Mints as jobs: from the request to the outcome, on a real node. */
import { randomUUID } from 'node:crypto';
import { quick } from '../../support/money';
import { eventually, openHarness, type Harness } from '../../support/harness';
import { hasty, mintPayload, polygonVariables } from '../../support/minting';
import { MoneyRows } from '../../support/money';
import { startPolygonSandbox, type PolygonSandbox } from '../../support/sandbox/polygon/sandbox';

let harness: Harness;
let sandbox: PolygonSandbox;
let jobs: MoneyRows;

beforeEach(async () => {
  harness = await openHarness();
  jobs = new MoneyRows(harness.environment.pool);
  sandbox = await startPolygonSandbox();
});
afterEach(async () => {
  await harness?.close();
  await sandbox?.close();
});

const start = (variables: Record<string, string> = {}) =>
  harness.startService({}, (config) => hasty(quick(config)), { ...polygonVariables(sandbox), ...variables });
const mint = (data: Record<string, unknown>) =>
  harness.bus.request({ type: 'nft-mint', data, idempotencyKey: randomUUID() });

it('a mint is told by its token and transaction, and spends one attempt however long its blocks take', async () => {
  await start({ POLYGON_CONFIRMATIONS: '3' });
  const data = mintPayload({ metadata: { name: 'Row A, seat 1', uri: 'https://example.com/1.json', seat: 'A-1' } });
  const id = await mint(data);
  const waiting = await jobs.until('it waits for its blocks', id, ({ reason }) => reason === 'AWAITING_CONFIRMATIONS');
  expect(waiting).toMatchObject({ status: 'pending', attempts: 0 });
  await sandbox.node.ask('anvil_mine', ['0x2']);

  const { data: outcome } = await harness.bus.outcomeOf(id, 'completed');

  const [token] = await sandbox.ledger();
  expect(outcome).toMatchObject({
    queue: 'money',
    result: {
      ticketId: data['ticketId'],
      chain: 'polygon',
      mintAddress: sandbox.contract,
      tokenId: token?.tokenId,
      transactionSignature: token?.transactionHash,
      metadata: data['metadata'],
    },
  });
  expect(await jobs.effects(waiting.id)).toMatchObject([{ name: 'mint', number: 1, state: 'done' }]);
});

it('a ticket that two jobs ask for is one token, and both are told of it', async () => {
  await start();
  const data = mintPayload();
  const ids = [await mint(data), await mint(data)];
  const outcomes = await Promise.all(ids.map((id) => harness.bus.outcomeOf(id, 'completed', 30_000)));
  const [token] = await sandbox.ledger();
  for (const { data: outcome } of outcomes) {
    expect(outcome).toMatchObject({ result: { transactionSignature: token?.transactionHash } });
  }
  expect(await sandbox.ledger()).toHaveLength(1);
});

it("a ticket whose token is somebody else's fails for good", async () => {
  await start();
  const data = mintPayload();
  await harness.bus.outcomeOf(await mint({ ...data, recipient: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8' }));
  const { data: outcome } = await harness.bus.outcomeOf(await mint(data));
  expect(outcome).toMatchObject({ outcome: 'failed', error: { code: 'ALREADY_MINTED', replayable: false } });
});

it('a signer without funds is waited for, and spends no attempt', async () => {
  const { key } = await sandbox.fundedKey('0');
  await start({ POLYGON_SIGNER_KEY: key });
  const id = await mint(mintPayload());
  const waiting = await jobs.until('it waits for funds', id, ({ reason }) => reason === 'SIGNER_OUT_OF_FUNDS');
  expect(waiting).toMatchObject({ status: 'pending', attempts: 0 });
  expect(waiting.waits).toBeGreaterThan(200);
});

it('on a chain that is not configured it is refused, with the variable that is missing', async () => {
  await start();
  const { data: outcome } = await harness.bus.outcomeOf(await mint(mintPayload({ chain: 'solana' })));
  expect(outcome).toMatchObject({
    outcome: 'rejected',
    error: { code: 'TYPE_UNAVAILABLE', details: [{ message: 'SOLANA_RPC_URL is not set' }] },
  });
});

it('what is wrong with a payload is told in full', async () => {
  await start();
  const data = {
    ...mintPayload({ recipient: 'me', metadata: { name: 'x'.repeat(33), uri: 'http://a.b' } }),
    eventId: 1,
  };
  const { data: outcome } = await harness.bus.outcomeOf(await mint(data));
  const paths = (outcome.error?.details ?? []).map(({ path }) => path);
  expect(paths.toSorted()).toEqual([
    'data.data.eventId',
    'data.data.metadata.name',
    'data.data.metadata.uri',
    'data.data.recipient',
  ]);
  await eventually('nothing was asked of the node', () => sandbox.callsOf('eth_estimateGas') === 0);
});

/** The real adapter and SDK against a chain that runs Solana's own token programs: each answer, and what it means. */
import { Keypair } from '@solana/web3.js';
import { z } from 'zod';
import type { Database } from '../../../src/platform/postgres/database';
import type { MintAdapter, MintRequest } from '../../../src/providers/minting';
import { openHarness, type Harness } from '../../support/harness';
import { mintCall, mintToEnd, solanaAdapter, ticket } from '../../support/minting';
import { openDatabase } from '../../support/records';
import { startSolanaSandbox, type SolanaSandbox } from '../../support/sandbox/solana/sandbox';

let harness: Harness;
let database: Database;
let sandbox: SolanaSandbox;
let solana: MintAdapter;

beforeAll(async () => {
  harness = await openHarness();
  database = openDatabase(harness.environment.variables['DATABASE_URL'] ?? '');
});
beforeEach(async () => {
  sandbox = await startSolanaSandbox();
  solana = solanaAdapter(sandbox, database);
});
afterEach(() => sandbox?.close());
afterAll(async () => {
  await database?.close();
  await harness?.close();
});

const SEND = { path: '/sendTransaction' };
const other = Keypair.generate().publicKey.toBase58();
const addressOf = async (request: MintRequest) => (await solana.locate(request)).mintAddress;

const signed = z.array(z.object({ signature: z.string(), version: z.number() }));
async function recorded(mintKey: string): Promise<z.infer<typeof signed>> {
  const { rows } = await harness.environment.pool.query(
    'SELECT signature, version FROM solana_transactions WHERE mint_key = $1 ORDER BY version',
    [mintKey],
  );
  return signed.parse(rows);
}

describe('a ticket', () => {
  it('becomes a token of which there is one, for the signer to keep', async () => {
    const request = ticket({ name: 'Row A, seat 1', uri: 'https://example.com/1.json' });

    const answer = await mintToEnd(solana, request);

    const mintAddress = await addressOf(request);
    const [transaction] = sandbox.ledger();
    const value = { mintAddress, tokenId: null, transactionSignature: transaction?.signature };
    expect(answer).toEqual({ kind: 'done', value, reference: transaction?.signature });
    expect(sandbox.token(mintAddress, sandbox.signer.address)).toEqual({
      supply: 1,
      owned: 1,
      isOpen: false,
      name: 'Row A, seat 1',
      uri: 'https://example.com/1.json',
    });
  });

  it('becomes the token of whom it is for', async () => {
    const request = ticket({ recipient: other });
    expect(await mintToEnd(solana, request)).toMatchObject({ kind: 'done' });
    expect(sandbox.token(await addressOf(request), other)).toMatchObject({ supply: 1, owned: 1 });
  });

  it('that is asked for again, under its key or another, is the same transaction', async () => {
    const [request, call] = [ticket(), mintCall()];
    const first = await mintToEnd(solana, request, call);
    expect(first).toMatchObject({ kind: 'done' });
    expect(await solana.mint(request, call)).toEqual(first);
    expect(await mintToEnd(solana, request)).toEqual(first);
    expect(await solana.find(request, mintCall())).toEqual(first);
    expect(sandbox.ledger()).toHaveLength(1);
  });

  it('of which two transactions are on their way is minted once: the other is in vain', async () => {
    const [request, calls] = [ticket(), [mintCall(), mintCall()]];
    const answers = await Promise.all(calls.map((call) => mintToEnd(solana, request, call)));
    const minted = answers.find(({ kind }) => kind === 'done');
    for (const answer of answers.filter((one) => one !== minted)) {
      expect(answer).toMatchObject({ kind: 'declined', code: 'TRANSACTION_REVERTED', aboutKey: true });
    }
    expect(await mintToEnd(solana, request)).toEqual(minted);
    expect(sandbox.token(await addressOf(request), sandbox.signer.address)).toMatchObject({ supply: 1 });
  });

  it('has another address where the secret is another', async () => {
    const request = ticket();
    const stranger = solanaAdapter(sandbox, database, { mintSecret: 'x'.repeat(32) });
    expect((await stranger.locate(request)).mintAddress).not.toBe(await addressOf(request));
  });
});

describe('a definite no', () => {
  it('is that somebody else has the token', async () => {
    const request = ticket();
    await mintToEnd(solana, { ...request, recipient: other });
    expect(await solana.mint(request, mintCall())).toMatchObject({ kind: 'declined', code: 'ALREADY_MINTED' });
  });

  it('is an address of another chain', async () => {
    const recipient = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
    expect(await solana.mint(ticket({ recipient }), mintCall())).toMatchObject({ code: 'INVALID_RECIPIENT' });
  });

  it('for now is a signer without funds: nothing is signed', async () => {
    const call = mintCall();
    const poor = solanaAdapter(sandbox, database, { signerKey: [...Keypair.generate().secretKey] });
    expect(await poor.mint(ticket(), call)).toMatchObject({ kind: 'declined', code: 'SIGNER_OUT_OF_FUNDS' });
    expect(await recorded(call.providerKey)).toEqual([]);
  });

  it.each([
    ['rate-limit', { kind: 'refused', code: 'RATE_LIMITED', trouble: 'busy', retryAfterMs: 7_000 }],
    ['unavailable', { kind: 'refused', code: 'HTTP_503', trouble: 'down' }],
    ['reset-before', { kind: 'refused', trouble: 'down' }],
    ['unauthorized', { kind: 'refused', code: 'HTTP_401' }],
    ['bad-request', { kind: 'refused', code: 'NODE_REFUSES' }],
  ] as const)('for now is a node that answers the first question by %s: nothing was sent', async (kind, expected) => {
    sandbox.fault({ kind, match: { path: '/getMultipleAccounts' }, retryAfterSeconds: 7 });
    expect(await solana.mint(ticket(), mintCall())).toMatchObject(expected);
    expect(sandbox.callsOf('sendTransaction')).toBe(0);
  });

  it('is certain when there is no node', async () => {
    const nowhere = solanaAdapter(sandbox, database, { rpcUrl: 'http://127.0.0.1:9' });
    expect(await nowhere.mint(ticket(), mintCall())).toMatchObject({ kind: 'refused', trouble: 'down' });
  });
});

describe('when nobody knows whether a transaction was taken', () => {
  it.each(['lose-answer', 'reset-before', 'unavailable', 'fail-before-effect', 'rate-limit', 'bad-request'] as const)(
    '%s: that very transaction is sent again, and it is one mint',
    async (kind) => {
      const [request, call] = [ticket(), mintCall()];
      sandbox.fault({ kind, match: SEND });
      expect(await solana.mint(request, call)).toMatchObject({ kind: 'unknown', underWay: { againMs: 60 } });
      const [before] = await recorded(call.providerKey);

      expect(await mintToEnd(solana, request, call)).toMatchObject({ kind: 'done', reference: before?.signature });

      expect(sandbox.ledger()).toEqual([{ signature: before?.signature, did: true }]);
    },
  );

  it('no answer within the time-out', async () => {
    const [request, call] = [ticket(), mintCall()];
    sandbox.fault({ kind: 'hang', match: SEND });
    expect(await solana.mint(request, { ...call, timeoutMs: 500 })).toMatchObject({ kind: 'unknown', code: 'STOPPED' });
    expect(await mintToEnd(solana, request, call)).toMatchObject({ kind: 'done' });
  });
});

describe('a transaction that no block takes', () => {
  let slow: SolanaSandbox;
  beforeEach(async () => {
    slow = await startSolanaSandbox({ slotMs: 0 });
    solana = solanaAdapter(slow, database);
  });
  afterEach(() => slow?.close());

  it('is not signed anew before its time is over for good, and lands late as one mint', async () => {
    const [request, call] = [ticket(), mintCall()];
    slow.fault({ kind: 'reset-before', match: SEND, times: 3 });
    await solana.mint(request, call);
    // Its last block is made, and not finalised.
    slow.chain.makeBlocks(150);
    await solana.mint(request, call);
    await solana.mint(request, call);
    expect(await recorded(call.providerKey)).toHaveLength(1);

    slow.clearFaults();
    await solana.mint(request, call);
    slow.chain.makeBlocks(3);

    const [only] = await recorded(call.providerKey);
    expect(await solana.mint(request, call)).toMatchObject({ kind: 'done', reference: only?.signature });
    expect(slow.ledger()).toHaveLength(1);
  });

  it('is signed anew, under the same key, when no block can take it any more', async () => {
    const [request, call] = [ticket(), mintCall()];
    slow.fault({ kind: 'reset-before', match: SEND });
    await solana.mint(request, call);
    slow.chain.makeBlocks(160);
    expect(await solana.mint(request, call)).toMatchObject({ code: 'SENT' });
    slow.chain.makeBlocks(3);

    const versions = await recorded(call.providerKey);
    expect(versions).toHaveLength(2);
    expect(await solana.mint(request, call)).toMatchObject({ kind: 'done', reference: versions[1]?.signature });
    expect(slow.ledger()).toHaveLength(1);
  });

  it('that a block has is no mint before that block is final', async () => {
    const [request, call] = [ticket(), mintCall()];
    await solana.mint(request, call);
    slow.chain.makeBlocks(2);
    expect(await solana.mint(request, call)).toMatchObject({ kind: 'unknown', code: 'AWAITING_CONFIRMATIONS' });
    slow.chain.makeBlocks(1);
    expect(await solana.mint(request, call)).toMatchObject({ kind: 'done' });
  });
});

it('no answer repeats the key, the address of the node or the transaction', async () => {
  const secret = new RegExp(`${sandbox.signer.key.slice(0, 8).join(',')}|${new URL(sandbox.url).port}|AgAAAA`);
  for (const kind of ['unauthorized', 'unavailable', 'lose-answer', 'rate-limit', 'bad-request'] as const) {
    for (const path of ['/getMultipleAccounts', '/sendTransaction']) {
      sandbox.fault({ kind, match: { path } });
      expect(JSON.stringify(await solana.mint(ticket(), mintCall()))).not.toMatch(secret);
      sandbox.clearFaults();
    }
  }
});

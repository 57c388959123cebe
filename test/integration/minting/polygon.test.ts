/** The real adapter and SDK against a real node: each answer that it can give, and what it is for the service. */
import type { Database } from '../../../src/platform/postgres/database';
import type { MintAdapter } from '../../../src/providers/minting';
import { openHarness, type Harness } from '../../support/harness';
import { mintCall, mintToEnd, polygonAdapter, ticket } from '../../support/minting';
import { openDatabase } from '../../support/records';
import { startPolygonSandbox, type PolygonSandbox } from '../../support/sandbox/polygon/sandbox';

let harness: Harness;
let database: Database;
let sandbox: PolygonSandbox;
let polygon: MintAdapter;

beforeAll(async () => {
  harness = await openHarness();
  database = openDatabase(harness.environment.variables['DATABASE_URL'] ?? '');
  sandbox = await startPolygonSandbox();
  polygon = polygonAdapter(sandbox, database);
});
afterEach(() => sandbox.clearFaults());
afterAll(async () => {
  await database?.close();
  await harness?.close();
  await sandbox?.close();
});

const SEND = { path: '/eth_sendRawTransaction' };
const mints = async (tokenId: string) => (await sandbox.ledger()).filter((token) => token.tokenId === tokenId);
const OTHER = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';

describe('a ticket', () => {
  it('becomes a token of its own, for the signer to keep', async () => {
    const request = ticket();
    const place = await polygon.locate(request);

    const answer = await mintToEnd(polygon, request);

    const [token] = await mints(place.tokenId ?? '');
    expect(token?.to).toBe(sandbox.signer.address.toLowerCase());
    const value = { ...place, transactionSignature: token?.transactionHash };
    expect(answer).toEqual({ kind: 'done', value, reference: token?.transactionHash });
  });

  it('becomes the token of whom it is for, with its address', async () => {
    const request = ticket({ recipient: OTHER, uri: 'https://example.com/1.json' });
    expect(await mintToEnd(polygon, request)).toMatchObject({ kind: 'done' });
    const { tokenId } = await polygon.locate(request);
    expect(await mints(tokenId ?? '')).toMatchObject([{ to: OTHER.toLowerCase() }]);
  });

  it('that is asked for again under its key is the same transaction', async () => {
    const [request, call] = [ticket(), mintCall()];
    const first = await mintToEnd(polygon, request, call);
    expect(await polygon.mint(request, call)).toEqual(first);
  });

  it('that is asked for under another key was minted before: it is told by the transaction that did it', async () => {
    const request = ticket();
    const first = await mintToEnd(polygon, request);
    expect(first).toMatchObject({ kind: 'done' });
    expect(await mintToEnd(polygon, request)).toEqual(first);
    expect(await polygon.find(request, mintCall())).toEqual(first);
  });

  it('of which two transactions are on their way is minted once: the other is in vain', async () => {
    const request = ticket();
    await sandbox.node.ask('evm_setAutomine', [false]);
    const calls = [mintCall(), mintCall()];
    const sent = await Promise.all(calls.map((call) => polygon.mint(request, call)));
    expect(sent).toMatchObject([{ code: 'SENT' }, { code: 'SENT' }]);
    await sandbox.node.ask('evm_setAutomine', [true]);
    await sandbox.node.ask('evm_mine');

    const answers = await Promise.all(calls.map((call) => mintToEnd(polygon, request, call)));

    const minted = answers.find(({ kind }) => kind === 'done');
    expect(answers.filter((answer) => answer !== minted)).toMatchObject([
      { kind: 'declined', code: 'TRANSACTION_REVERTED', aboutKey: true },
    ]);
    expect(await mintToEnd(polygon, request)).toEqual(minted);
  });
});

describe('a definite no', () => {
  it('is that somebody else has the token', async () => {
    const request = ticket();
    await mintToEnd(polygon, { ...request, recipient: OTHER });
    expect(await polygon.mint(request, mintCall())).toMatchObject({ kind: 'declined', code: 'ALREADY_MINTED' });
  });

  it.each([
    ['of another chain', '4Nd1mYQbTLZ4CZVYmJwLKh3CS2GM9nvFRZ8hTRMAf7cT'],
    ['with a wrong checksum', '0x70997970c51812dc3A010C7d01b50e0d17dc79C8'],
  ])('is an address %s', async (_, recipient) => {
    expect(await polygon.mint(ticket({ recipient }), mintCall())).toMatchObject({
      kind: 'declined',
      code: 'INVALID_RECIPIENT',
    });
  });

  it('is a signer that may not mint', async () => {
    const key = `0x${'7'.repeat(64)}`;
    await sandbox.node.ask('anvil_setBalance', ['0x53C8eE9Df2E5ceEE1c2FF1Ea3Ba3A3a6bf34BF74', '0xde0b6b3a7640000']);
    const stranger = polygonAdapter(sandbox, database, { signerKey: key });
    expect(await stranger.mint(ticket(), mintCall())).toMatchObject({ kind: 'declined', code: 'MINT_REFUSED' });
  });

  it('for now is a signer without funds, and takes no nonce', async () => {
    const { key } = await sandbox.fundedKey('0');
    const poor = polygonAdapter(sandbox, database, { signerKey: key });
    const call = mintCall();
    expect(await poor.mint(ticket(), call)).toMatchObject({ kind: 'declined', code: 'SIGNER_OUT_OF_FUNDS' });
    const { rows } = await harness.environment.pool.query('SELECT FROM evm_transactions WHERE mint_key = $1', [
      call.providerKey,
    ]);
    expect(rows).toEqual([]);
  });

  it.each([
    ['rate-limit', { kind: 'refused', code: 'RATE_LIMITED', trouble: 'busy', retryAfterMs: 7_000 }],
    ['unavailable', { kind: 'refused', code: 'HTTP_503', trouble: 'down' }],
    ['reset-before', { kind: 'refused', trouble: 'down' }],
    ['unauthorized', { kind: 'refused', code: 'HTTP_401' }],
  ] as const)('for now is a node that answers the first question by %s: nothing was sent', async (kind, expected) => {
    sandbox.fault({ kind, match: { path: '/eth_estimateGas' }, retryAfterSeconds: 7 });
    const sent = sandbox.callsOf('eth_sendRawTransaction');
    expect(await polygon.mint(ticket(), mintCall())).toMatchObject(expected);
    expect(sandbox.callsOf('eth_sendRawTransaction')).toBe(sent);
  });

  it('is certain when there is no node', async () => {
    const nowhere = polygonAdapter(sandbox, database, { rpcUrl: 'http://127.0.0.1:9' });
    expect(await nowhere.mint(ticket(), mintCall())).toMatchObject({ kind: 'refused', code: 'ECONNREFUSED' });
  });
});

describe('when nobody knows whether a transaction was taken', () => {
  it.each(['lose-answer', 'reset-before', 'unavailable', 'fail-before-effect', 'rate-limit', 'bad-request'] as const)(
    '%s: that very transaction is sent again, and it is one mint',
    async (kind) => {
      const [request, call] = [ticket(), mintCall()];
      const fault = sandbox.fault({ kind, match: SEND });
      expect(await polygon.mint(request, call)).toMatchObject({ kind: 'unknown', underWay: { againMs: 60 } });
      expect(fault.hits()).toBe(1);
      const { rows } = await harness.environment.pool.query('SELECT hash FROM evm_transactions WHERE mint_key = $1', [
        call.providerKey,
      ]);

      const answer = await mintToEnd(polygon, request, call);

      expect(answer).toMatchObject({ kind: 'done', reference: rows[0].hash });
      expect(rows).toHaveLength(1);
      expect(await mints((await polygon.locate(request)).tokenId ?? '')).toHaveLength(1);
    },
  );

  it('no answer within the time-out', async () => {
    const [request, call] = [ticket(), mintCall()];
    sandbox.fault({ kind: 'hang', match: SEND });
    expect(await polygon.mint(request, { ...call, timeoutMs: 500 })).toMatchObject({
      kind: 'unknown',
      code: 'STOPPED',
      trouble: 'unheard',
    });
    expect(await mintToEnd(polygon, request, call)).toMatchObject({ kind: 'done' });
  });

  it('what is known of it cannot be asked for', async () => {
    const [request, call] = [ticket(), mintCall()];
    await polygon.mint(request, call);
    sandbox.fault({ kind: 'unavailable', match: { path: '/eth_getTransactionReceipt' } });
    expect(await polygon.mint(request, call)).toMatchObject({ kind: 'unknown', code: 'HTTP_503', trouble: 'down' });
    expect(await mintToEnd(polygon, request, call)).toMatchObject({ kind: 'done' });
  });
});

it('no answer repeats the key, the address of the node or the transaction', async () => {
  const secret = new RegExp(`${sandbox.signer.key}|${new URL(sandbox.url).port}|0x02f8`);
  for (const kind of ['unauthorized', 'unavailable', 'lose-answer', 'rate-limit', 'bad-request'] as const) {
    for (const path of ['/eth_estimateGas', '/eth_sendRawTransaction']) {
      sandbox.fault({ kind, match: { path } });
      expect(JSON.stringify(await polygon.mint(ticket(), mintCall()))).not.toMatch(secret);
      sandbox.clearFaults();
    }
  }
});

it('a caller that stopped before it asked asks nothing', async () => {
  expect(await polygon.mint(ticket(), mintCall({ signal: AbortSignal.abort() }))).toMatchObject({ code: 'STOPPED' });
});

/**
 * Solana. It takes no key of ours, but a ticket alone makes the address of its token, whose account can be made once; and a
 * transaction is known by its signature before it is sent, and can get into a block for a minute or two only. So the same
 * one is sent until it is in one, and another is signed only when the first is in none and no block can take it any more.
 */
import type { Connection, Keypair, PublicKey, SignatureStatus } from '@solana/web3.js';
import { isUnavailable } from '../../platform/postgres/errors';
import type { Queryable } from '../../platform/postgres/database';
import { unknownLookup, type PlainAnswer, type PlainLookup } from '../answer';
import {
  INVALID_RECIPIENT,
  MINTED_FOR_ANOTHER,
  RECORDS_AWAY,
  REVERTED,
  STOPPED_ANSWER,
  underWay,
  withinCall,
  type Mint,
  type MintAdapter,
  type MintCall,
  type MintRequest,
} from '../minting';
import { answerBeforeSending, fetchOnce, OUT_OF_FUNDS, readTrouble, type NodeTrouble } from './errors';
import { mintKeypair, mintSize, signMint, tokenAccount, tokenAccountSize } from './mint-transaction';
import { findTransactions, recordTransaction, type RecordedTransaction, type Signed } from './records';
import { loadWeb3 } from './sdk';

export interface SolanaOptions {
  rpcUrl: string;
  /** 64 bytes: the seed and the public key. */
  signerKey: number[];
  /** Makes tickets into addresses; another one would make other addresses. */
  mintSecret: string;
  /** Between two looks at what is under way. */
  pollMs: number;
}

type MintAnswer = PlainAnswer<Mint>;

/** Nodes answer within a second, or not at all. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Lamports for each signature, of which a mint has two (Solana's "Transaction fees"). */
const FEE = 2 * 5_000;
/** Of one question, by the documentation of `getSignatureStatuses` (solana.com/docs/rpc). */
const MOST_SIGNATURES = 256;

export function createSolanaAdapter(options: SolanaOptions, database: Queryable): MintAdapter {
  // With the first mint: until then the SDK is not loaded.
  let opened: SolanaMints | undefined;
  const open = () => (opened ??= new SolanaMints(options, database));
  return {
    locate: (ticket) => Promise.resolve({ mintAddress: open().keypairOf(ticket).publicKey.toBase58(), tokenId: null }),
    mint: (request, call) => answering(call, (over) => open().mint(request, call.providerKey, over)),
    async find(request, call) {
      const found = await answering<PlainLookup<Mint> | MintAnswer>(call, () => open().find(request, call.providerKey));
      return found.kind === 'done' || found.kind === 'absent' ? found : unknownLookup(found);
    },
  };
}

/** What a node throws before something is recorded means that nothing happened. */
async function answering<Answer>(
  call: MintCall,
  work: (over: AbortSignal) => Promise<Answer>,
): Promise<Answer | Exclude<MintAnswer, { kind: 'done' }>> {
  const answer = await withinCall(call, async (over) => {
    try {
      return { said: await work(over) };
    } catch (error) {
      return { said: isUnavailable(error) ? RECORDS_AWAY : answerBeforeSending(readTrouble(error)) };
    }
  });
  return 'said' in answer ? answer.said : STOPPED_ANSWER;
}

class SolanaMints {
  private readonly connection: Connection;
  private readonly signer: Keypair;

  constructor(
    private readonly options: SolanaOptions,
    private readonly database: Queryable,
  ) {
    const { Connection: SolanaConnection, Keypair: SolanaKeypair } = loadWeb3();
    this.signer = SolanaKeypair.fromSecretKey(Uint8Array.from(options.signerKey));
    this.connection = new SolanaConnection(options.rpcUrl, {
      commitment: 'finalized',
      disableRetryOnRateLimit: true,
      fetch: (_, init) => fetchOnce(options.rpcUrl, init ?? {}, REQUEST_TIMEOUT_MS),
    });
  }

  keypairOf(ticket: Pick<MintRequest, 'eventId' | 'ticketId'>): Keypair {
    return mintKeypair(this.options.mintSecret, ticket);
  }

  async mint(request: MintRequest, mintKey: string, over: AbortSignal): Promise<MintAnswer> {
    const recorded = await findTransactions(this.database, mintKey);
    if (recorded.length > 0) return this.follow(request, mintKey, recorded);
    const owner = this.ownerOf(request);
    if (owner === undefined) return INVALID_RECIPIENT;
    const before = await this.mintedBefore(request, owner);
    if (before) return before;
    const signed = await this.sign(request, owner);
    if ('kind' in signed) return signed;
    if (over.aborted) return STOPPED_ANSWER;
    const versions = await recordTransaction(this.database, { mintKey, version: 1 }, signed);
    return this.follow(request, mintKey, versions);
  }

  async find(request: MintRequest, mintKey: string): Promise<PlainLookup<Mint> | MintAnswer> {
    if ((await findTransactions(this.database, mintKey)).length > 0) return underWay('SENT', 'is on its way', 0);
    const owner = this.ownerOf(request);
    return (owner && (await this.mintedBefore(request, owner))) ?? { kind: 'absent' };
  }

  /** Undefined when the token is not there; otherwise by an earlier call of ours, or for somebody else. */
  private async mintedBefore(request: MintRequest, owner: PublicKey): Promise<MintAnswer | undefined> {
    const mint = this.keypairOf(request).publicKey;
    const [account, token] = await this.connection.getMultipleAccountsInfo([mint, tokenAccount(mint, owner)]);
    if (!account) return undefined;
    if (!token) return MINTED_FOR_ANOTHER;
    const signatures = await this.connection.getSignaturesForAddress(mint);
    const first = signatures.findLast(({ err }) => err === null);
    return first ? this.done(request, first.signature) : this.waiting('AWAITING_HISTORY');
  }

  private async sign(request: MintRequest, owner: PublicKey): Promise<Signed | MintAnswer> {
    const mint = this.keypairOf(request);
    const sizes = mintSize(mint.publicKey, this.signer.publicKey, request);
    const [rent, accountRent, balance, { blockhash, lastValidBlockHeight }] = await Promise.all([
      this.connection.getMinimumBalanceForRentExemption(sizes.whole),
      this.connection.getMinimumBalanceForRentExemption(tokenAccountSize()),
      this.connection.getBalance(this.signer.publicKey),
      this.connection.getLatestBlockhash(),
    ]);
    if (balance < rent + accountRent + FEE) return OUT_OF_FUNDS;
    return signMint({ signer: this.signer, mint, owner }, request, { blockhash, lastValidBlockHeight, rent });
  }

  /** What is recorded happens, or can certainly no longer happen: no trouble of the node's is a no any more. */
  private async follow(request: MintRequest, mintKey: string, versions: RecordedTransaction[]): Promise<MintAnswer> {
    try {
      return await this.advance(request, mintKey, versions);
    } catch (error) {
      return isUnavailable(error) ? RECORDS_AWAY : this.troubled(readTrouble(error));
    }
  }

  private async advance(request: MintRequest, mintKey: string, versions: RecordedTransaction[]): Promise<MintAnswer> {
    const known = await this.look(request, versions);
    if (known) return known;
    const latest = versions.at(-1);
    if (!latest) return RECORDS_AWAY;
    if ((await this.connection.getBlockHeight('finalized')) <= latest.lastValidBlockHeight) return this.send(latest);
    // It may have got into a block, and been finalised, since it was looked for.
    return (await this.look(request, versions)) ?? this.signAnew(request, mintKey, latest);
  }

  /** Every version is looked for: an earlier one that was finalised is the mint. Undefined when no block has any. */
  private async look(request: MintRequest, versions: RecordedTransaction[]): Promise<MintAnswer | undefined> {
    const signatures = versions.map(({ signature }) => signature);
    const value = await this.statusesOf(signatures);
    const found = value.findIndex((status) => status !== null && status.err === null);
    const index = found >= 0 ? found : value.findIndex((status) => status !== null);
    const status = value[index];
    return status ? this.judge(request, status, signatures[index] ?? '') : undefined;
  }

  private async statusesOf(signatures: string[]): Promise<(SignatureStatus | null)[]> {
    const statuses: (SignatureStatus | null)[] = [];
    for (let from = 0; from < signatures.length; from += MOST_SIGNATURES) {
      const asked = signatures.slice(from, from + MOST_SIGNATURES);
      const { value } = await this.connection.getSignatureStatuses(asked, { searchTransactionHistory: true });
      statuses.push(...value);
    }
    return statuses;
  }

  private judge(request: MintRequest, status: SignatureStatus, signature: string): MintAnswer {
    if (status.confirmationStatus !== 'finalized') return this.waiting('AWAITING_CONFIRMATIONS');
    return status.err === null ? this.done(request, signature) : REVERTED;
  }

  private async send({ raw }: RecordedTransaction): Promise<MintAnswer> {
    try {
      // What a node thinks of it in advance changes nothing: it is recorded.
      await this.connection.sendRawTransaction(Buffer.from(raw, 'base64'), { skipPreflight: true, maxRetries: 0 });
      return this.waiting('SENT');
    } catch (error) {
      return this.troubled(readTrouble(error));
    }
  }

  private async signAnew(request: MintRequest, mintKey: string, expired: RecordedTransaction): Promise<MintAnswer> {
    const owner = this.ownerOf(request);
    if (owner === undefined) return INVALID_RECIPIENT;
    const signed = await this.sign(request, owner);
    // Nothing is under way any more: the next key begins anew.
    if ('kind' in signed) return signed;
    const versions = await recordTransaction(this.database, { mintKey, version: expired.version + 1 }, signed);
    const latest = versions.at(-1);
    return latest ? this.send(latest) : RECORDS_AWAY;
  }

  private ownerOf({ recipient }: MintRequest): PublicKey | undefined {
    if (recipient === undefined) return this.signer.publicKey;
    try {
      return new (loadWeb3().PublicKey)(recipient);
    } catch {
      return undefined;
    }
  }

  private done(request: MintRequest, transactionSignature: string): MintAnswer {
    const mintAddress = this.keypairOf(request).publicKey.toBase58();
    const value = { mintAddress, tokenId: null, transactionSignature };
    return { kind: 'done', value, reference: transactionSignature };
  }

  private waiting(code: string): MintAnswer {
    return underWay(code, `the mint is not final: ${code}`, this.options.pollMs);
  }

  private troubled(trouble: NodeTrouble): MintAnswer {
    const code = trouble.kind === 'refused' ? 'NODE_REFUSES' : trouble.code;
    const told = trouble.kind === 'refused' ? undefined : trouble.kind;
    return underWay(code, `the mint is not final: ${code}`, 3 * this.options.pollMs, told);
  }
}

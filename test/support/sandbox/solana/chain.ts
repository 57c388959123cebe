/**
 * A chain of one machine: LiteSVM executes, with the programs that Solana's own token programs are; blocks, the time that a
 * blockhash is good for, and commitment are counted here, as a cluster would.
 */
import { address, getCompiledTransactionMessageDecoder, getTransactionDecoder, lamports } from '@solana/kit';
import bs58 from 'bs58';
import { FailedTransactionMetadata, LiteSVM } from 'litesvm';

/** Blocks that a blockhash is good for (Solana's "Transaction Confirmation & Expiration"). */
const MAX_AGE = 150;

export interface ChainOptions {
  /** Milliseconds between blocks; 0 for blocks by hand alone. */
  slotMs: number;
  /** Blocks on top of one until it is confirmed, and finalised: 1 and 31 on a cluster. */
  confirmedAfter: number;
  finalizedAfter: number;
}

export interface Landed {
  slot: number;
  /** Null when it did what it was for. */
  err: object | null;
  accounts: string[];
}

export class Chain {
  private readonly svm = new LiteSVM();
  /** In the order in which they came. */
  readonly landed = new Map<string, Landed>();
  private readonly hashes: { blockhash: string; slot: number }[] = [];
  private readonly timer: NodeJS.Timeout | undefined;
  slot = 1;

  constructor(private readonly options: ChainOptions) {
    // Age and repetition are looked after here.
    this.svm.withBlockhashCheck(false).withTransactionHistory(0n);
    this.makeBlocks(1);
    if (options.slotMs > 0) this.timer = setInterval(() => this.makeBlocks(1), options.slotMs);
  }

  close(): void {
    clearInterval(this.timer);
  }

  makeBlocks(count: number): void {
    for (let made = 0; made < count; made += 1) {
      this.svm.expireBlockhash();
      this.slot += 1;
      this.svm.warpToSlot(BigInt(this.slot));
      this.hashes.push({ blockhash: this.svm.latestBlockhash(), slot: this.slot });
      if (this.hashes.length > MAX_AGE + 1) this.hashes.shift();
    }
  }

  fund(account: string, amount: number): void {
    this.svm.airdrop(address(account), lamports(BigInt(amount)));
  }

  balance(account: string): number {
    return Number(this.svm.getBalance(address(account)) ?? 0n);
  }

  rent(size: number): number {
    return Number(this.svm.minimumBalanceForRentExemption(BigInt(size)));
  }

  latestBlockhash(): { blockhash: string; lastValidBlockHeight: number } {
    const { blockhash = '', slot = 0 } = this.hashes.at(-1) ?? {};
    return { blockhash, lastValidBlockHeight: slot + MAX_AGE };
  }

  account(key: string): { data: Buffer; lamports: number; owner: string; executable: boolean } | undefined {
    const found = this.svm.getAccount(address(key));
    if (!found.exists) return undefined;
    const { data, lamports: balance, programAddress: owner, executable } = found;
    return { data: Buffer.from(data), lamports: Number(balance), owner, executable };
  }

  /** As a leader does: what was there before, and what is too old, is passed over in silence. */
  take(raw: Buffer): string {
    const signature = bs58.encode(raw.subarray(1, 65));
    const transaction = getTransactionDecoder().decode(raw);
    const message = getCompiledTransactionMessageDecoder().decode(transaction.messageBytes);
    const isFresh = this.hashes.some(({ blockhash }) => blockhash === message.lifetimeToken);
    if (this.landed.has(signature) || !isFresh) return signature;
    const result = this.svm.sendTransaction(transaction);
    const err = result instanceof FailedTransactionMetadata ? { InstructionError: [0, 'GenericError'] } : null;
    const accounts = 'staticAccounts' in message ? [...message.staticAccounts] : [];
    this.landed.set(signature, { slot: this.slot, err, accounts });
    return signature;
  }

  levelOf({ slot }: Landed): 'processed' | 'confirmed' | 'finalized' {
    const depth = this.slot - slot;
    if (depth >= this.options.finalizedAfter) return 'finalized';
    return depth >= this.options.confirmedAfter ? 'confirmed' : 'processed';
  }

  /** The highest block that can no longer be taken back. */
  get finalizedHeight(): number {
    return Math.max(0, this.slot - this.options.finalizedAfter);
  }
}

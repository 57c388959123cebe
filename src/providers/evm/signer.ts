import type { TransactionLike, Wallet } from 'ethers';
import type { Fees } from './node';
import type { Signed } from './records';
import { loadEthers } from './sdk';

/** Of every fee, by which a node lets a replacement in; geth and bor want a tenth more. */
const BUMP_PERCENT = 125n;
/** A replacement is never worth more than so many times what the chain asks at that moment. */
const MAX_TIMES_SUGGESTED = 5n;

/** The account that mints. Its key leaves this class in no way. */
export class EvmSigner {
  private readonly wallet: Wallet;

  constructor(
    key: string,
    private readonly chainId: number,
  ) {
    this.wallet = new (loadEthers().Wallet)(key);
  }

  get address(): string {
    return this.wallet.address;
  }

  /** Its name in the records. */
  get id(): string {
    return `${this.chainId}:${this.address}`;
  }

  sign(call: { to: string; data: string; gasLimit: bigint; nonce: number }, fees: Fees): Promise<Signed> {
    return this.signed({ ...call, ...fees });
  }

  /** The same call under the same nonce for more; undefined when that would cost far too much. */
  async signForMore(raw: string, suggested: Fees): Promise<Signed | undefined> {
    const before = loadEthers().Transaction.from(raw);
    const maxFeePerGas = raised(before.maxFeePerGas ?? 0n, suggested.maxFeePerGas);
    const maxPriorityFeePerGas = raised(before.maxPriorityFeePerGas ?? 0n, suggested.maxPriorityFeePerGas);
    if (maxFeePerGas > MAX_TIMES_SUGGESTED * suggested.maxFeePerGas) return undefined;
    const { to, data, gasLimit, nonce } = before;
    return this.signed({ to, data, gasLimit, nonce, maxFeePerGas, maxPriorityFeePerGas });
  }

  private async signed(transaction: TransactionLike): Promise<Signed> {
    const raw = await this.wallet.signTransaction({ ...transaction, type: 2, chainId: this.chainId, value: 0n });
    return { raw, hash: loadEthers().keccak256(raw) };
  }
}

function raised(before: bigint, suggested: bigint): bigint {
  const bumped = (before * BUMP_PERCENT) / 100n + 1n;
  return bumped > suggested ? bumped : suggested;
}

/** A node of the chain, asked by JSON-RPC: one request a question, each within a time limit, none repeated by the SDK. */
import type { JsonRpcProvider } from 'ethers';
import { z } from 'zod';
import { loadEthers } from './sdk';

/** Nodes answer within a second, or not at all. */
const REQUEST_TIMEOUT_MS = 10_000;

const quantity = z.string().regex(/^0x[0-9a-f]+$/i);
const count = quantity.transform(Number);
const wei = quantity.transform(BigInt);
const hash = z.string().regex(/^0x[0-9a-f]{64}$/i);
const receipt = z.object({ transactionHash: hash, blockNumber: count, status: count });

export type Receipt = z.infer<typeof receipt>;

export interface Fees {
  maxFeePerGas: bigint;
  maxPriorityFeePerGas: bigint;
}

/** What is asked of the chain and signs nothing. */
interface Call {
  from: string;
  to: string;
  data: string;
}

/** Every method throws what ethers throws, or a ZodError for an answer without sense; see errors.ts. */
export class EvmNode {
  private opened: JsonRpcProvider | undefined;

  constructor(
    private readonly rpcUrl: string,
    private readonly chainId: number,
  ) {}

  /** What the call would take. Fails as the call itself would. */
  estimateGas(call: Call): Promise<bigint> {
    return this.ask(wei, 'eth_estimateGas', [call]);
  }

  call(call: Omit<Call, 'from'>): Promise<string> {
    return this.ask(z.string(), 'eth_call', [call, 'latest']);
  }

  /** Enough for the next blocks: the base fee may double in six (EIP-1559: an eighth a block). */
  async suggestFees(): Promise<Fees> {
    const [block, maxPriorityFeePerGas] = await Promise.all([
      this.ask(z.object({ baseFeePerGas: wei }), 'eth_getBlockByNumber', ['latest', false]),
      this.ask(wei, 'eth_maxPriorityFeePerGas', []),
    ]);
    return { maxFeePerGas: 2n * block.baseFeePerGas + maxPriorityFeePerGas, maxPriorityFeePerGas };
  }

  balance(address: string): Promise<bigint> {
    return this.ask(wei, 'eth_getBalance', [address, 'latest']);
  }

  blockNumber(): Promise<number> {
    return this.ask(count, 'eth_blockNumber', []);
  }

  /** How many nonces of an account the blocks up to this one have used. */
  transactionCount(address: string, block: 'latest' | number): Promise<number> {
    const tag = block === 'latest' ? block : `0x${Math.max(0, block).toString(16)}`;
    return this.ask(count, 'eth_getTransactionCount', [address, tag]);
  }

  /** Undefined while no block has the transaction. */
  async receipt(transactionHash: string): Promise<Receipt | undefined> {
    return (await this.ask(receipt.nullable(), 'eth_getTransactionReceipt', [transactionHash])) ?? undefined;
  }

  async broadcast(raw: string): Promise<void> {
    await this.ask(hash, 'eth_sendRawTransaction', [raw]);
  }

  /** The transaction that wrote the one log that the filter finds. */
  async transactionOf(filter: object): Promise<string | undefined> {
    const logs = await this.ask(z.array(z.object({ transactionHash: hash })), 'eth_getLogs', [filter]);
    return logs[0]?.transactionHash;
  }

  private async ask<Answer>(schema: z.ZodType<Answer>, method: string, params: unknown[]): Promise<Answer> {
    const answer: unknown = await this.provider().send(method, params);
    return schema.parse(answer);
  }

  private provider(): JsonRpcProvider {
    this.opened ??= this.open();
    return this.opened;
  }

  private open(): JsonRpcProvider {
    const { FetchRequest, JsonRpcProvider, Network } = loadEthers();
    const request = new FetchRequest(this.rpcUrl);
    request.timeout = REQUEST_TIMEOUT_MS;
    request.retryFunc = () => Promise.resolve(false);
    // A network without plugins: ethers' own for Polygon asks a gas station on the web for fees.
    const network = new Network('polygon', this.chainId);
    return new JsonRpcProvider(request, network, { staticNetwork: network, batchMaxCount: 1, cacheTimeout: -1 });
  }
}

/**
 * A chain that works as Ethereum does, and our contract on it. The chain takes no key of ours, but each token has an id
 * that its ticket alone makes, so the contract refuses a second one; and what is signed is recorded before it is sent, so
 * that it is sent again and never signed a second time with another nonce.
 */
import { isUnavailable } from '../../platform/postgres/errors';
import type { Database } from '../../platform/postgres/database';
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
  type TicketIdentity,
} from '../minting';
import { TicketContract, tokenIdOf, type Origin } from './contract';
import { answerBeforeSending, OUT_OF_FUNDS, readTrouble, type NodeTrouble } from './errors';
import { Line, type LineOptions, type Progress } from './line';
import { EvmNode } from './node';
import { findTransactions, recordNext, type RecordedTransaction } from './records';
import { loadEthers } from './sdk';
import { EvmSigner } from './signer';

export interface EvmOptions extends LineOptions {
  rpcUrl: string;
  chainId: number;
  /** The contract's address. */
  contract: string;
  signerKey: string;
}

/** More than the estimate: what a block does before ours may change what ours takes. */
const GAS_PERCENT = 120n;

type MintAnswer = PlainAnswer<Mint>;

/** What is said before anything is recorded, or what is recorded. */
type Prepared = { answer: MintAnswer } | { versions: RecordedTransaction[] };

export function createEvmAdapter(options: EvmOptions, database: Database): MintAdapter {
  // With the first mint: until then the SDK is not loaded.
  let opened: EvmMints | undefined;
  const open = () => (opened ??= new EvmMints(options, database));
  return {
    locate: (ticket) => Promise.resolve(placeOf(options.contract, ticket)),
    mint: (request, call) => answering(call, (over) => open().mint(request, call.providerKey, over)),
    async find(request, call) {
      const found = await answering<PlainLookup<Mint> | MintAnswer>(call, () => open().find(request, call.providerKey));
      return found.kind === 'done' || found.kind === 'absent' ? found : unknownLookup(found);
    },
  };
}

function placeOf(contract: string, ticket: TicketIdentity) {
  return { mintAddress: contract, tokenId: tokenIdOf(ticket).toString() };
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
      return { said: isUnavailable(error) ? RECORDS_AWAY : answerBeforeSending(readTrouble(error, Date.now())) };
    }
  });
  return 'said' in answer ? answer.said : STOPPED_ANSWER;
}

class EvmMints {
  private readonly node: EvmNode;
  private readonly signer: EvmSigner;
  private readonly contract: TicketContract;
  private readonly line: Line;

  constructor(
    options: EvmOptions,
    private readonly database: Database,
  ) {
    this.node = new EvmNode(options.rpcUrl, options.chainId);
    this.signer = new EvmSigner(options.signerKey, options.chainId);
    this.contract = new TicketContract(options.contract);
    this.line = new Line(this.node, database, options);
  }

  async mint(request: MintRequest, mintKey: string, over: AbortSignal): Promise<MintAnswer> {
    const recorded = await findTransactions(this.database, mintKey);
    const prepared = recorded.length > 0 ? { versions: recorded } : await this.prepare(request, mintKey, over);
    if ('answer' in prepared) return prepared.answer;
    return this.follow(request, prepared.versions);
  }

  async find(request: MintRequest, mintKey: string): Promise<PlainLookup<Mint> | MintAnswer> {
    if ((await findTransactions(this.database, mintKey)).length > 0) return underWay('SENT', 'is on its way', 0);
    const { address: to } = this.contract;
    const origin = this.contract.readOrigin(await this.node.call({ to, data: this.contract.originQuery(request) }));
    return origin ? this.mintedBefore(request, origin) : { kind: 'absent' };
  }

  /** Everything that can go wrong without a nonce goes wrong here: one that was given out must be used. */
  private async prepare(request: MintRequest, mintKey: string, over: AbortSignal): Promise<Prepared> {
    const recipient = this.recipientOf(request);
    if (recipient === undefined) return { answer: INVALID_RECIPIENT };
    const call = { to: this.contract.address, data: this.contract.mintData(recipient, request) };
    const gas = await this.estimate(call, request);
    if ('answer' in gas) return gas;
    const gasLimit = (gas.estimate * GAS_PERCENT) / 100n;
    const fees = await this.node.suggestFees();
    // Nodes estimate for who cannot pay, too.
    if ((await this.node.balance(this.signer.address)) < gasLimit * fees.maxFeePerGas) return { answer: OUT_OF_FUNDS };
    const atLeast = await this.node.transactionCount(this.signer.address, 'latest');
    if (over.aborted) return { answer: STOPPED_ANSWER };
    const wanted = { signer: this.signer.id, mintKey, atLeast };
    const sign = (nonce: number) => this.signer.sign({ ...call, gasLimit, nonce }, fees);
    return { versions: await recordNext(this.database, wanted, sign) };
  }

  private async estimate(
    call: { to: string; data: string },
    request: MintRequest,
  ): Promise<{ estimate: bigint } | { answer: MintAnswer }> {
    try {
      return { estimate: await this.node.estimateGas({ from: this.signer.address, ...call }) };
    } catch (error) {
      const trouble = readTrouble(error, Date.now());
      const origin = trouble.kind === 'reverted' ? this.contract.readAlreadyMinted(trouble.data) : undefined;
      return { answer: origin ? await this.mintedBefore(request, origin) : answerBeforeSending(trouble) };
    }
  }

  /** The token is there: by an earlier call of ours, under whatever key, or for somebody else. */
  private async mintedBefore(request: MintRequest, origin: Origin): Promise<MintAnswer> {
    if (origin.to.toLowerCase() !== this.recipientOf(request)?.toLowerCase()) return MINTED_FOR_ANOTHER;
    const missing = this.line.missing(origin.blockNumber, await this.node.blockNumber());
    if (missing > 0) return toldUnderWay(this.line.waiting('AWAITING_CONFIRMATIONS', missing));
    const hash = await this.node.transactionOf(this.contract.mintFilter(request, origin));
    if (hash === undefined) return toldUnderWay(this.line.waiting('AWAITING_LOGS'));
    return this.done(request, hash);
  }

  /** What is recorded happens sooner or later: no trouble of the node's is a no any more. */
  private async follow(request: MintRequest, versions: RecordedTransaction[]): Promise<MintAnswer> {
    try {
      const progress = await this.line.advance(versions, this.signer);
      if (progress.kind === 'final') return this.done(request, progress.hash);
      if (progress.kind === 'underWay') return toldUnderWay(progress);
      return progress.kind === 'reverted' ? REVERTED : DISPLACED;
    } catch (error) {
      if (isUnavailable(error)) return RECORDS_AWAY;
      const trouble = readTrouble(error, Date.now());
      return toldUnderWay({
        ...this.line.waiting(trouble.kind === 'down' ? trouble.code : 'NODE_REFUSES', 3),
        trouble,
      });
    }
  }

  private recipientOf({ recipient }: MintRequest): string | undefined {
    const address = recipient ?? this.signer.address;
    return loadEthers().isAddress(address) ? address : undefined;
  }

  private done(ticket: TicketIdentity, hash: string): MintAnswer {
    const value = { ...placeOf(this.contract.address, ticket), transactionSignature: hash };
    return { kind: 'done', value, reference: hash };
  }
}

function toldUnderWay({ code, againMs, trouble }: Extract<Progress, { kind: 'underWay' }>): MintAnswer {
  return underWay(code, `the mint is not final: ${code}`, againMs, trouble && troubleOf(trouble));
}

function troubleOf({ kind }: NodeTrouble): 'busy' | 'down' | undefined {
  return kind === 'busy' || kind === 'down' ? kind : undefined;
}

const DISPLACED: MintAnswer = {
  kind: 'declined',
  code: 'NONCE_TAKEN',
  message: "another transaction has this one's nonce",
  aboutKey: true,
};

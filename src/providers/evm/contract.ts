/** The contract that issues the tokens, as far as it is called; its source is in test/support/chain. */
import type { Interface } from 'ethers';
import { sha256 } from '../../platform/ids';
import type { MintRequest, TicketIdentity } from '../minting';
import { loadEthers } from './sdk';

const ABI = [
  'function mint(address to, uint256 tokenId, string uri)',
  'function minted(uint256 tokenId) view returns (address to, uint96 blockNumber)',
  'error AlreadyMinted(uint256 tokenId, address to, uint256 blockNumber)',
  'event Transfer(address indexed from, address indexed to, uint256 indexed tokenId)',
];

/** Who got a token when it was minted, wherever it is now. */
export interface Origin {
  to: string;
  blockNumber: number;
}

/** 256 bits that belong to this ticket alone. An event's id is a UUID: no two pairs make the same text. */
export function tokenIdOf({ eventId, ticketId }: TicketIdentity): bigint {
  return BigInt(`0x${sha256(`${eventId.toLowerCase()}:${ticketId}`)}`);
}

export class TicketContract {
  private readonly abi: Interface;

  constructor(readonly address: string) {
    this.abi = new (loadEthers().Interface)(ABI);
  }

  mintData(to: string, request: MintRequest): string {
    return this.abi.encodeFunctionData('mint', [to, tokenIdOf(request), request.uri ?? '']);
  }

  originQuery(ticket: TicketIdentity): string {
    return this.abi.encodeFunctionData('minted', [tokenIdOf(ticket)]);
  }

  /** Undefined while the token does not exist. */
  readOrigin(answer: string): Origin | undefined {
    const [to, blockNumber] = this.abi.decodeFunctionResult('minted', answer);
    return BigInt(String(to)) === 0n ? undefined : { to: String(to), blockNumber: Number(blockNumber) };
  }

  /** What the contract says when it refuses a mint since the token exists; undefined for any other refusal. */
  readAlreadyMinted(revertData: string): Origin | undefined {
    if (revertData.length < SELECTOR_LENGTH) return undefined;
    const error = this.abi.parseError(revertData);
    if (error?.name !== 'AlreadyMinted') return undefined;
    return { to: String(error.args[1]), blockNumber: Number(error.args[2]) };
  }

  /** Finds the mint of a token among the logs of its block. */
  mintFilter(ticket: TicketIdentity, { blockNumber }: Origin): object {
    const block = `0x${blockNumber.toString(16)}`;
    const topics = this.abi.encodeFilterTopics('Transfer', [ZERO_ADDRESS, null, tokenIdOf(ticket)]);
    return { address: this.address, fromBlock: block, toBlock: block, topics };
  }
}

/** `0x` and the four bytes that name an error; ethers throws at less. */
const SELECTOR_LENGTH = 10;
const ZERO_ADDRESS = `0x${'0'.repeat(40)}`;

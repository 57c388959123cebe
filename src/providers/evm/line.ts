/**
 * The line of a signer's transactions: a block takes them in the order of their nonces, so that one that does not get
 * there holds up all behind it. Whoever waits in the line pushes its head: sends it again, and replaces it with one that
 * pays more when it has waited too long, whatever became of the job that it belongs to.
 */
import type { Database } from '../../platform/postgres/database';
import { readTrouble, type NodeTrouble } from './errors';
import type { EvmNode, Receipt } from './node';
import { recordReplacement, transactionsAt, type RecordedTransaction } from './records';
import type { EvmSigner } from './signer';

export interface LineOptions {
  /** A block counts once so many, itself included, are built on it. */
  confirmations: number;
  /** Between two looks at what is under way; about the time of a block. */
  pollMs: number;
  /** A head of the line that no block has taken for so long is replaced. */
  stuckAfterMs: number;
}

export type Progress =
  | { kind: 'final'; hash: string }
  /** It is in a block for good, and did nothing. */
  | { kind: 'reverted' }
  /** Another transaction has its nonce for good. */
  | { kind: 'displaced' }
  | { kind: 'underWay'; code: string; againMs: number; trouble?: NodeTrouble };

export class Line {
  constructor(
    private readonly node: EvmNode,
    private readonly database: Database,
    private readonly options: LineOptions,
  ) {}

  /**
   * Sees to it that what was signed gets into a block, and says how far it is.
   * @param versions of one transaction, oldest first, one at least
   * @throws what the node, or the database, throws
   */
  async advance(versions: RecordedTransaction[], signer: EvmSigner): Promise<Progress> {
    const mined = await this.findReceipt(versions);
    const height = await this.node.blockNumber();
    if (mined) return this.judge(mined, height);
    const address = addressOf(versions);
    const nonce = nonceOf(versions);
    const certain = await this.node.transactionCount(address, height - this.options.confirmations + 1);
    // It may have got into a block since it was looked for.
    if (nonce < certain) return (await this.findReceipt(versions)) ? this.waiting('IN_BLOCK') : { kind: 'displaced' };
    const next = await this.node.transactionCount(address, 'latest');
    if (nonce < next) return this.waiting('IN_BLOCK');
    return this.push(versions, next, signer);
  }

  private async push(versions: RecordedTransaction[], next: number, signer: EvmSigner): Promise<Progress> {
    if (nonceOf(versions) === next) return this.told(await this.pushHead(versions, signer));
    const head = await transactionsAt(this.database, signerOf(versions), next);
    const trouble = head.length > 0 ? await this.pushHead(head, signer) : undefined;
    return this.told((await this.send(versions)) ?? trouble);
  }

  private async pushHead(versions: RecordedTransaction[], signer: EvmSigner): Promise<NodeTrouble | undefined> {
    const isStuck = (versions.at(-1)?.ageMs ?? 0) >= this.options.stuckAfterMs;
    const current = isStuck ? await this.replace(versions, signer) : versions;
    const trouble = await this.send(current);
    if (trouble?.kind !== 'underpriced') return trouble;
    return this.send(await this.replace(current, signer));
  }

  /** Signed and recorded before it is sent; of several who do so at once one counts. */
  private async replace(versions: RecordedTransaction[], signer: EvmSigner): Promise<RecordedTransaction[]> {
    const latest = versions.at(-1);
    if (!latest || latest.signer !== signer.id) return versions;
    const signed = await signer.signForMore(latest.raw, await this.node.suggestFees());
    return signed ? recordReplacement(this.database, latest, signed) : versions;
  }

  /** Sends the latest version; what the node has already, and what is in a block already, is sent. */
  private async send(versions: RecordedTransaction[]): Promise<NodeTrouble | undefined> {
    try {
      await this.node.broadcast(versions.at(-1)?.raw ?? '');
      return undefined;
    } catch (error) {
      const trouble = readTrouble(error, Date.now());
      return trouble.kind === 'known' || trouble.kind === 'nonceUsed' ? undefined : trouble;
    }
  }

  /** Any version may be the one that a block took. */
  private async findReceipt(versions: RecordedTransaction[]): Promise<Receipt | undefined> {
    for (const { hash } of versions.toReversed()) {
      const receipt = await this.node.receipt(hash);
      if (receipt) return receipt;
    }
    return undefined;
  }

  private judge({ blockNumber, status, transactionHash }: Receipt, height: number): Progress {
    const missing = this.missing(blockNumber, height);
    if (missing > 0) return this.waiting('AWAITING_CONFIRMATIONS', missing);
    return status === 1 ? { kind: 'final', hash: transactionHash } : { kind: 'reverted' };
  }

  /** How many blocks a block still wants on it. */
  missing(blockNumber: number, height: number): number {
    return Math.max(0, this.options.confirmations - (height - blockNumber + 1));
  }

  waiting(code: string, blocks = 1): Extract<Progress, { kind: 'underWay' }> {
    return { kind: 'underWay', code, againMs: Math.max(1, blocks) * this.options.pollMs };
  }

  private told(trouble: NodeTrouble | undefined): Progress {
    if (!trouble) return this.waiting('SENT');
    return { ...this.waiting(codeOf(trouble), TROUBLED_BLOCKS), trouble };
  }
}

/** A node with troubles is asked less often. */
const TROUBLED_BLOCKS = 3;

function codeOf(trouble: NodeTrouble): string {
  switch (trouble.kind) {
    case 'outOfFunds':
      return 'SIGNER_OUT_OF_FUNDS';
    case 'busy':
      return 'RATE_LIMITED';
    case 'underpriced':
      return 'FEE_TOO_LOW';
    case 'down':
      return trouble.code;
    case 'known':
    case 'nonceUsed':
    case 'refused':
    case 'reverted':
      return 'NODE_REFUSES';
  }
}

function nonceOf(versions: RecordedTransaction[]): number {
  return versions[0]?.nonce ?? 0;
}

function signerOf(versions: RecordedTransaction[]): string {
  return versions[0]?.signer ?? '';
}

/** Also when another key signs today. */
function addressOf(versions: RecordedTransaction[]): string {
  return signerOf(versions).split(':')[1] ?? '';
}

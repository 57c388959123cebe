/** The part of Solana's JSON-RPC that mints need, in front of the chain; faults by method, as Polygon's front has them. */
import { z } from 'zod';
import { FaultPlan } from '../faults';
import type { Handled, SandboxRequest } from '../http';
import { faultReply, isSwallowed } from '../rpc-faults';
import type { Chain } from './chain';

const question = z.object({ id: z.unknown(), method: z.string(), params: z.array(z.unknown()).default([]) });
const keys = z.tuple([z.array(z.string())]).rest(z.unknown());
const key = z.tuple([z.string()]).rest(z.unknown());
const size = z.tuple([z.number()]).rest(z.unknown());

export class SolanaService {
  readonly faults = new FaultPlan();
  readonly calls = new Map<string, number>();

  constructor(private readonly chain: Chain) {}

  async handle(request: SandboxRequest): Promise<Handled> {
    const { id, method, params } = question.parse(JSON.parse(request.body));
    this.calls.set(method, (this.calls.get(method) ?? 0) + 1);
    const fault = this.faults.take({ method: 'POST', path: `/${method}`, idempotencyKey: undefined, metadata: {} });
    if (fault?.kind === 'slow') await fault.wait();
    const before = fault && faultReply(fault, id);
    if (before) return before;
    const result = this.answer(method, params);
    if (fault && isSwallowed(fault)) return 'reset';
    if (result === undefined) {
      return { status: 200, body: { jsonrpc: '2.0', id, error: { code: -32_601, message: 'Method not found' } } };
    }
    return { status: 200, body: { jsonrpc: '2.0', id, result } };
  }

  /** Undefined for a method that is not known. */
  private answer(method: string, params: unknown[]): unknown {
    const { chain } = this;
    switch (method) {
      case 'getBlockHeight':
        return chain.finalizedHeight;
      case 'getLatestBlockhash':
        return this.inContext(chain.latestBlockhash());
      case 'getMinimumBalanceForRentExemption':
        return chain.rent(size.parse(params)[0]);
      case 'getBalance':
        return this.inContext(chain.balance(key.parse(params)[0]));
      case 'getMultipleAccounts':
        return this.inContext(keys.parse(params)[0].map((one) => this.account(one)));
      case 'getSignatureStatuses':
        return this.inContext(keys.parse(params)[0].map((signature) => this.status(signature)));
      case 'getSignaturesForAddress':
        return this.signaturesOf(key.parse(params)[0]);
      case 'sendTransaction':
        return chain.take(Buffer.from(key.parse(params)[0], 'base64'));
      default:
        return undefined;
    }
  }

  private inContext(value: unknown): object {
    return { context: { apiVersion: '2.2.0', slot: this.chain.slot }, value };
  }

  private account(one: string): object | null {
    const found = this.chain.account(one);
    if (!found) return null;
    const { data, ...rest } = found;
    return { ...rest, data: [data.toString('base64'), 'base64'], rentEpoch: 0, space: data.length };
  }

  private status(signature: string): object | null {
    const landed = this.chain.landed.get(signature);
    if (!landed) return null;
    const confirmationStatus = this.chain.levelOf(landed);
    const confirmations = confirmationStatus === 'finalized' ? null : this.chain.slot - landed.slot;
    return { slot: landed.slot, confirmations, err: landed.err, confirmationStatus };
  }

  /** Newest first, as far as they are finalised. */
  private signaturesOf(account: string): object[] {
    return [...this.chain.landed]
      .filter(([, landed]) => landed.accounts.includes(account) && this.chain.levelOf(landed) === 'finalized')
      .map(([signature, { slot, err }]) => ({ signature, slot, err, memo: null, blockTime: null }))
      .toReversed();
  }
}

/**
 * The only place that reads what ethers throws. Messages are built from codes alone: the SDK's own repeat what was sent,
 * and the address of the node, which often holds a key.
 */
import { z } from 'zod';
import type { FailureAnswer } from '../answer';
import { noClearAnswer, token } from '../axios';
import { parseRetryAfter } from '../retry-after';

/** What went wrong with one request to a node. */
export type NodeTrouble =
  /** The contract, or the chain, refuses the call; `data` is what the contract says about it. */
  | { kind: 'reverted'; data: string }
  /** The signer has too little for gas. */
  | { kind: 'outOfFunds' }
  /** The nonce is behind: this transaction, or another with its nonce, is in a block. */
  | { kind: 'nonceUsed' }
  /** The node has this very transaction. */
  | { kind: 'known' }
  /** The node wants a higher fee for it. */
  | { kind: 'underpriced' }
  | { kind: 'busy'; retryAfterMs?: number }
  /** Refused with a reason that has no meaning of its own. */
  | { kind: 'refused'; code: string }
  /** No answer, or none with sense. */
  | { kind: 'down'; code: string };

const rpcError = z.object({ code: z.number().optional(), message: z.string().optional() });
const thrownError = z.object({
  code: z.string(),
  data: z.string().nullish(),
  error: rpcError.optional(),
  info: z.object({ error: rpcError.optional() }).nullish(),
  response: z.object({ statusCode: z.number(), headers: z.record(z.string(), z.string()) }).nullish(),
});

/** geth and bor, anvil, Erigon, Nethermind, in this order. */
const KNOWN = /already known|already imported|known transaction|AlreadyKnown/i;
const UNDERPRICED = /underpriced|fee too low|gas price too low|max fee per gas less than block base fee/i;
/** JSON-RPC's code for it by EIP-1474. */
const LIMIT_EXCEEDED = -32_005;

export function readTrouble(thrown: unknown, now: number): NodeTrouble {
  const parsed = thrownError.safeParse(thrown);
  if (!parsed.success) return { kind: 'down', code: 'UNEXPECTED_ERROR' };
  const { code, data, error, info, response } = parsed.data;
  switch (code) {
    case 'CALL_EXCEPTION':
      return readCallException(data ?? undefined, info?.error);
    case 'INSUFFICIENT_FUNDS':
      return { kind: 'outOfFunds' };
    case 'NONCE_EXPIRED':
      return { kind: 'nonceUsed' };
    case 'REPLACEMENT_UNDERPRICED':
      return { kind: 'underpriced' };
    case 'SERVER_ERROR':
      return response?.statusCode === 429
        ? busy(parseRetryAfter(response.headers['retry-after'], now))
        : { kind: 'down', code: `HTTP_${response?.statusCode ?? 'ERROR'}` };
    case 'UNKNOWN_ERROR':
      return readRpcError(error?.code, error?.message ?? '');
    default:
      return { kind: 'down', code: token(code) || 'UNEXPECTED_ERROR' };
  }
}

/** ethers takes whatever a node says to a call for a refusal of the contract's; one that is has data, or says so. */
function readCallException(data: string | undefined, error: z.infer<typeof rpcError> | undefined): NodeTrouble {
  const isRevert = data !== undefined || error?.message === undefined || /revert/i.test(error.message);
  return isRevert ? { kind: 'reverted', data: data ?? '0x' } : readRpcError(error.code, error.message ?? '');
}

function readRpcError(code: number | undefined, message: string): NodeTrouble {
  if (KNOWN.test(message)) return { kind: 'known' };
  if (UNDERPRICED.test(message)) return { kind: 'underpriced' };
  if (code === LIMIT_EXCEEDED) return busy(undefined);
  return { kind: 'refused', code: `RPC_${code ?? 'ERROR'}` };
}

function busy(retryAfterMs: number | undefined): NodeTrouble {
  return { kind: 'busy', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** It is waited for, like the balance of a payout. */
export const OUT_OF_FUNDS = {
  kind: 'declined',
  code: 'SIGNER_OUT_OF_FUNDS',
  message: 'the signer has too little for the gas',
  aboutKey: true,
} as const satisfies FailureAnswer;

/** What it means while nothing is recorded under the key: nothing was sent, so nothing happened. */
export function answerBeforeSending(trouble: NodeTrouble): FailureAnswer {
  switch (trouble.kind) {
    case 'reverted':
      return {
        kind: 'declined',
        code: 'MINT_REFUSED',
        message: `the contract refuses the mint (${trouble.data.slice(0, 10)})`,
        aboutKey: true,
      };
    case 'outOfFunds':
      return OUT_OF_FUNDS;
    case 'busy':
      return {
        kind: 'refused',
        code: 'RATE_LIMITED',
        message: 'the node limits us',
        trouble: 'busy',
        ...retryAfter(trouble),
      };
    case 'down': {
      const { code, message } = noClearAnswer('the node', trouble.code);
      return { kind: 'refused', code, message, trouble: 'down' };
    }
    case 'refused':
      return { kind: 'refused', code: 'NODE_REFUSES', message: `the node refuses the request (${trouble.code})` };
    case 'known':
    case 'nonceUsed':
    case 'underpriced':
      return { kind: 'refused', code: 'NODE_REFUSES', message: `the node refuses the request (${trouble.kind})` };
  }
}

function retryAfter({ retryAfterMs }: { retryAfterMs?: number }): { retryAfterMs?: number } {
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}

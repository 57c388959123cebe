/**
 * What goes wrong between us and a node of Solana. Messages are built from codes alone: the SDK's own repeat what was sent,
 * and the address of the node, which often holds a key.
 */
import { z } from 'zod';
import type { FailureAnswer } from '../answer';
import { noClearAnswer, token } from '../axios';
import { parseRetryAfter } from '../retry-after';

export type NodeTrouble =
  | { kind: 'busy'; code: 'RATE_LIMITED'; retryAfterMs?: number }
  /** The node understood, and says no; what it says has no meaning of its own. */
  | { kind: 'refused'; code: string }
  /** No answer, or none with sense. */
  | { kind: 'down'; code: string };

/** Thrown through the SDK by what it calls `fetch` with. */
class NodeError extends Error {
  override name = 'NodeError';

  constructor(readonly trouble: NodeTrouble) {
    super(trouble.code);
  }
}

/** A request to the node: once, within the time, and with every answer but a good one told apart. */
export async function fetchOnce(url: string, init: RequestInit, timeoutMs: number): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs), redirect: 'error' });
  } catch (error) {
    throw new NodeError({ kind: 'down', code: codeOf(error) });
  }
  if (response.ok) return response;
  await response.body?.cancel();
  if (response.status !== 429) throw new NodeError({ kind: 'down', code: `HTTP_${response.status}` });
  const retryAfterMs = parseRetryAfter(response.headers.get('retry-after') ?? undefined, Date.now());
  throw new NodeError({ kind: 'busy', code: 'RATE_LIMITED', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}

const unreached = z.object({ name: z.string(), cause: z.object({ code: z.string() }).optional() });

function codeOf(thrown: unknown): string {
  const parsed = unreached.safeParse(thrown);
  if (!parsed.success) return 'UNEXPECTED_ERROR';
  if (parsed.data.name === 'TimeoutError') return 'TIMEOUT';
  return token(parsed.data.cause?.code) || 'CONNECTION_FAILED';
}

/** JSON-RPC's errors, as the SDK throws them. */
const rpcError = z.object({
  name: z.enum(['SolanaJSONRPCError', 'SendTransactionError']),
  code: z.number().optional(),
});

export function readTrouble(thrown: unknown): NodeTrouble {
  if (thrown instanceof NodeError) return thrown.trouble;
  const parsed = rpcError.safeParse(thrown);
  if (parsed.success) return { kind: 'refused', code: `RPC_${parsed.data.code ?? 'ERROR'}` };
  return { kind: 'down', code: 'UNEXPECTED_ERROR' };
}

/** It is waited for, like the balance of a payout. */
export const OUT_OF_FUNDS = {
  kind: 'declined',
  code: 'SIGNER_OUT_OF_FUNDS',
  message: 'the signer has too little for the rent and the fee',
  aboutKey: true,
} as const satisfies FailureAnswer;

/** What it means while nothing is recorded under the key: nothing was sent, so nothing happened. */
export function answerBeforeSending(trouble: NodeTrouble): FailureAnswer {
  if (trouble.kind === 'busy') {
    const { retryAfterMs } = trouble;
    const after = retryAfterMs === undefined ? {} : { retryAfterMs };
    return { kind: 'refused', code: 'RATE_LIMITED', message: 'the node limits us', trouble: 'busy', ...after };
  }
  if (trouble.kind === 'refused') {
    return { kind: 'refused', code: 'NODE_REFUSES', message: `the node refuses the request (${trouble.code})` };
  }
  const { code, message } = noClearAnswer('the node', trouble.code);
  return { kind: 'refused', code, message, trouble: 'down' };
}

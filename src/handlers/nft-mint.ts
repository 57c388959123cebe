import { z } from 'zod';
import { CHAINS, nftMint, type Chain, type MintPayload, type MintResult } from '../catalogue/nft-mint';
import type { Mint, MintAdapter, MintRequest, TokenPlace } from '../providers/minting';
import { defineHandler, type KeyedEffect } from './handler';
import { done, failed, type HandlerOutcome } from './outcome';

/** Of the chains that are configured. */
export type Minters = Partial<Record<Chain, MintAdapter>>;

/** What was signed can certainly not happen any more: with the next number it is signed anew. */
const SIGNED_IN_VAIN = ['NONCE_TAKEN', 'TRANSACTION_REVERTED'];
/** Somebody must fund the signer; a week is time enough. */
const OUT_OF_FUNDS = 'SIGNER_OUT_OF_FUNDS';
const FUNDED_AGAIN = { afterMs: 5 * 60 * 1_000, withinMs: 7 * 24 * 60 * 60 * 1_000 };
/** Not even a replay changes it. */
const FINAL = ['ALREADY_MINTED', 'INVALID_RECIPIENT'];

export const mintValue = z.object({
  chain: z.enum(CHAINS),
  mintAddress: z.string(),
  tokenId: z.string().nullable(),
  transactionSignature: z.string(),
});

/** Mints a ticket's token once, and tells of it when no block can be taken back any more. */
export function nftMintHandler(minters: Minters) {
  return defineHandler(nftMint, async (payload, context) => {
    // Named since it was taken in, see `withChoice`; its chain may not be configured any more.
    const { chain } = payload;
    const adapter = chain && minters[chain];
    if (!adapter) return failed('CHAIN_UNAVAILABLE', 'nothing is minted on that chain', { replayable: true });
    const place = await adapter.locate(payload);
    const minted = await context.effects.perform(mintEffect(chain, adapter, place, payload));
    if (minted.kind === 'ended') return minted.outcome;
    if (minted.kind === 'declined') return refusal(minted.code, minted.message);
    return done<MintResult>(resultOf(payload, minted.value));
  });
}

function refusal(code: string, message: string): HandlerOutcome<never> {
  if (SIGNED_IN_VAIN.includes(code)) return { kind: 'retry', code, message };
  if (code === OUT_OF_FUNDS) return { kind: 'wait', code, message, ...FUNDED_AGAIN };
  return failed(code, message, { replayable: !FINAL.includes(code) });
}

function mintEffect(
  chain: Chain,
  adapter: MintAdapter,
  place: TokenPlace,
  { eventId, ticketId, recipient, metadata: { name, uri } }: MintPayload,
): KeyedEffect<z.infer<typeof mintValue>> {
  const request: MintRequest = { eventId, ticketId, recipient, name, uri };
  const onChain = ({ kind, value, ...rest }: { kind: 'done'; value: Mint; reference: string }) => ({
    kind,
    value: { chain, ...value },
    ...rest,
  });
  return {
    name: 'mint',
    intent: { chain, ...place },
    value: mintValue,
    // What was signed under a key is recorded for ever.
    keyWindowMs: Number.POSITIVE_INFINITY,
    searchLagMs: 0,
    call: async (providerKey, limits) => {
      const answer = await adapter.mint(request, { providerKey, ...limits });
      return answer.kind === 'done' ? onChain(answer) : answer;
    },
    find: async (providerKey, limits) => {
      const answer = await adapter.find(request, { providerKey, ...limits });
      return answer.kind === 'done' ? onChain(answer) : answer;
    },
  };
}

function resultOf(
  { ticketId, metadata }: MintPayload,
  { chain, mintAddress, tokenId, transactionSignature }: z.infer<typeof mintValue>,
): MintResult {
  const token = tokenId === null ? {} : { tokenId };
  const mintedAt = new Date().toISOString();
  return { ticketId, chain, mintAddress, ...token, transactionSignature, metadata, mintedAt };
}

import { randomUUID } from 'node:crypto';
import type { Config } from '../../src/config';
import { createEvmAdapter, type EvmOptions } from '../../src/providers/evm/adapter';
import type { Database } from '../../src/platform/postgres/database';
import type { MintAdapter, MintCall, MintRequest } from '../../src/providers/minting';
import { createSolanaAdapter, type SolanaOptions } from '../../src/providers/solana/adapter';
import type { PolygonSandbox } from './sandbox/polygon/sandbox';
import type { SolanaSandbox } from './sandbox/solana/sandbox';

export function ticket(over: Partial<MintRequest> = {}): MintRequest {
  return {
    eventId: randomUUID(),
    ticketId: randomUUID(),
    recipient: undefined,
    name: undefined,
    uri: undefined,
    ...over,
  };
}

export function mintCall(over: Partial<MintCall> = {}): MintCall {
  return {
    providerKey: `${randomUUID()}:mint:1`,
    timeoutMs: 20_000,
    signal: new AbortController().signal,
    ...over,
  };
}

/** Times so short that a test need not wait. */
export const QUICK_CHAIN = { confirmations: 1, pollMs: 20, stuckAfterMs: 60_000 };

export function polygonAdapter(
  sandbox: PolygonSandbox,
  database: Database,
  over: Partial<EvmOptions> = {},
): MintAdapter {
  const { url: rpcUrl, contract, signer } = sandbox;
  return createEvmAdapter({ rpcUrl, contract, chainId: 137, signerKey: signer.key, ...QUICK_CHAIN, ...over }, database);
}

const MINT_SECRET = 'a secret that is only good for tests, at least 32 characters';

export function solanaAdapter(
  { url: rpcUrl, signer }: SolanaSandbox,
  database: Database,
  over: Partial<SolanaOptions> = {},
): MintAdapter {
  const options = { rpcUrl, signerKey: signer.key, mintSecret: MINT_SECRET, pollMs: 20 };
  return createSolanaAdapter({ ...options, ...over }, database);
}

/** What the service would find in its environment. */
export function solanaVariables({ url, signer }: SolanaSandbox): Record<string, string> {
  return {
    SOLANA_RPC_URL: url,
    SOLANA_SIGNER_KEY: JSON.stringify(signer.key),
    SOLANA_MINT_SECRET: MINT_SECRET,
    RATE_LIMIT_SOLANA: '10000',
  };
}

/** What the service would find in its environment. */
export function polygonVariables({ url, contract, signer }: PolygonSandbox): Record<string, string> {
  return {
    POLYGON_RPC_URL: url,
    POLYGON_CONTRACT_ADDRESS: contract,
    POLYGON_SIGNER_KEY: signer.key,
    POLYGON_CONFIRMATIONS: '1',
    RATE_LIMIT_POLYGON: '10000',
  };
}

/** For `startService`: chains that make a block at once need not be waited for. */
export function hasty(config: Config): Config {
  const { polygon, solana } = config;
  return {
    ...config,
    polygon: polygon && { ...polygon, pollMs: 500 },
    solana: solana && { ...solana, pollMs: 500 },
  };
}

/** A sound payload of `nft-mint`. */
export function mintPayload(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    eventId: randomUUID(),
    ticketId: randomUUID(),
    userId: randomUUID(),
    venueId: randomUUID(),
    chain: 'polygon',
    ...over,
  };
}

/** Asks with the same key until it is settled, as a job does. */
export async function mintToEnd(adapter: MintAdapter, request: MintRequest, call = mintCall()) {
  for (let tries = 1; ; tries += 1) {
    const answer = await adapter.mint(request, call);
    if (answer.kind !== 'unknown' || !answer.underWay || tries > 60) return answer;
    const { againMs } = answer.underWay;
    await new Promise((resolve) => setTimeout(resolve, Math.min(againMs, 100)));
  }
}

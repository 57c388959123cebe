import type * as Token from '@solana/spl-token';
import type * as Metadata from '@solana/spl-token-metadata';
import type * as Web3 from '@solana/web3.js';

/** On first use: a process without mints on Solana need not load them. */
export function loadWeb3(): typeof Web3 {
  const sdk: typeof Web3 = require('@solana/web3.js');
  return sdk;
}

export function loadToken(): { token: typeof Token; metadata: typeof Metadata } {
  const token: typeof Token = require('@solana/spl-token');
  const metadata: typeof Metadata = require('@solana/spl-token-metadata');
  return { token, metadata };
}

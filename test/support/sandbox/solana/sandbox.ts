/** Solana as a developer's machine has it; see docs/providers.md for what it cannot show. */
import {
  ExtensionType,
  getAssociatedTokenAddressSync,
  getExtensionData,
  TOKEN_2022_PROGRAM_ID,
  unpackAccount,
  unpackMint,
} from '@solana/spl-token';
import { unpack } from '@solana/spl-token-metadata';
import { Keypair, PublicKey } from '@solana/web3.js';
import type { Fault, FaultHandle } from '../faults';
import { serveSandbox, type ServeOptions } from '../serve';
import { Chain, type ChainOptions } from './chain';
import { SolanaService } from './service';

/** Known to everybody, and good for trying things out alone. */
const SIGNER = Keypair.fromSeed(Buffer.alloc(32, 7));
const PLENTY = 1_000_000_000_000;

export interface Token {
  supply: number;
  owned: number;
  /** Whether somebody may make more of it. */
  isOpen: boolean;
  name: string | undefined;
  uri: string | undefined;
}

export interface SolanaSandbox {
  url: string;
  signer: { address: string; key: number[] };
  chain: Chain;
  /** Every transaction that a block has: by its signature, and whether it did something. */
  ledger(): { signature: string; did: boolean }[];
  /** What the chain knows of a token, and how many of it an owner has; undefined when there is none. */
  token(mint: string, owner: string): Token | undefined;
  callsOf(method: string): number;
  fault(fault: Fault): FaultHandle;
  clearFaults(): void;
  close(): Promise<void>;
}

export async function startSolanaSandbox(options: ServeOptions & Partial<ChainOptions> = {}): Promise<SolanaSandbox> {
  const chain = new Chain({ slotMs: 20, confirmedAfter: 1, finalizedAfter: 3, ...options });
  chain.fund(SIGNER.publicKey.toBase58(), PLENTY);
  const service = new SolanaService(chain);
  const fault = (wanted: Fault) => service.faults.add(wanted);
  const clearFaults = () => service.faults.clear();
  const ledger = () => [...chain.landed].map(([signature, { err }]) => ({ signature, did: err === null }));
  const calls = () => [...service.calls.values()].reduce((sum, count) => sum + count, 0);
  const controls = { ledger: () => ({ transactions: ledger() }), calls, fault, clearFaults };
  const server = await serveSandbox(service, controls, options);
  return {
    url: server.url,
    signer: { address: SIGNER.publicKey.toBase58(), key: [...SIGNER.secretKey] },
    chain,
    ledger,
    token: (mint, owner) => readToken(chain, new PublicKey(mint), new PublicKey(owner)),
    callsOf: (method) => service.calls.get(method) ?? 0,
    fault,
    clearFaults,
    close: async () => {
      await server.close();
      chain.close();
    },
  };
}

function readToken(chain: Chain, mint: PublicKey, owner: PublicKey): Token | undefined {
  const read = (key: PublicKey) => {
    const found = chain.account(key.toBase58());
    return found ? { ...found, owner: new PublicKey(found.owner) } : null;
  };
  if (!read(mint)) return undefined;
  const { supply, mintAuthority, tlvData } = unpackMint(mint, read(mint), TOKEN_2022_PROGRAM_ID);
  const account = getAssociatedTokenAddressSync(mint, owner, true, TOKEN_2022_PROGRAM_ID);
  const owned = read(account) ? unpackAccount(account, read(account), TOKEN_2022_PROGRAM_ID).amount : 0n;
  const data = getExtensionData(ExtensionType.TokenMetadata, tlvData);
  const { name, uri } = data ? unpack(data) : { name: undefined, uri: undefined };
  return { supply: Number(supply), owned: Number(owned), isOpen: mintAuthority !== null, name, uri };
}

/**
 * A ticket as a token of Token-2022: no decimals, one of it, nobody may make another, and its name and address of the rest
 * on the mint itself. The mint's key comes from the ticket alone, so that its account can be made once only.
 */
import { createHmac } from 'node:crypto';
import type { Keypair, PublicKey } from '@solana/web3.js';
import bs58 from 'bs58';
import type { MintRequest, TicketIdentity } from '../minting';
import type { Signed } from './records';
import { loadToken, loadWeb3 } from './sdk';

const SYMBOL = 'TICKET';
const DEFAULT_NAME = 'Ticket';

/** @param secret keeps others from taking a ticket's address before us */
export function mintKeypair(secret: string, { eventId, ticketId }: TicketIdentity): Keypair {
  const seed = createHmac('sha256', secret).update(`mint:${eventId.toLowerCase()}:${ticketId}`).digest();
  return loadWeb3().Keypair.fromSeed(seed);
}

/** Where the recipient's token lies. */
export function tokenAccount(mint: PublicKey, owner: PublicKey): PublicKey {
  const { token } = loadToken();
  return token.getAssociatedTokenAddressSync(mint, owner, true, token.TOKEN_2022_PROGRAM_ID);
}

/** Bytes whose rent the signer pays: of the mint when it is made, and with its metadata. */
export function mintSize(mint: PublicKey, signer: PublicKey, request: MintRequest): { bare: number; whole: number } {
  const { token, metadata } = loadToken();
  const bare = token.getMintLen([token.ExtensionType.MetadataPointer]);
  const packed = metadata.pack({ ...dataOf(request), mint, updateAuthority: signer, additionalMetadata: [] });
  return { bare, whole: bare + token.TYPE_SIZE + token.LENGTH_SIZE + packed.length };
}

/** Of an account for one token, with the extension that an associated account has. */
export function tokenAccountSize(): number {
  const { token } = loadToken();
  return token.getAccountLen([token.ExtensionType.ImmutableOwner]);
}

export function signMint(
  { signer, mint, owner }: { signer: Keypair; mint: Keypair; owner: PublicKey },
  request: MintRequest,
  chain: { blockhash: string; lastValidBlockHeight: number; rent: number },
): Signed {
  const { SystemProgram, Transaction } = loadWeb3();
  const { token, metadata } = loadToken();
  const programId = token.TOKEN_2022_PROGRAM_ID;
  const [payer, minted] = [signer.publicKey, mint.publicKey];
  const account = tokenAccount(minted, owner);
  const { blockhash, lastValidBlockHeight, rent: lamports } = chain;
  const transaction = new Transaction({ feePayer: payer, blockhash, lastValidBlockHeight }).add(
    SystemProgram.createAccount({
      fromPubkey: payer,
      newAccountPubkey: minted,
      lamports,
      space: mintSize(minted, payer, request).bare,
      programId,
    }),
    token.createInitializeMetadataPointerInstruction(minted, payer, minted, programId),
    token.createInitializeMint2Instruction(minted, 0, payer, null, programId),
    metadata.createInitializeInstruction({
      programId,
      metadata: minted,
      updateAuthority: payer,
      mint: minted,
      mintAuthority: payer,
      ...dataOf(request),
    }),
    token.createAssociatedTokenAccountInstruction(payer, account, owner, minted, programId),
    token.createMintToInstruction(minted, account, payer, 1, [], programId),
    token.createSetAuthorityInstruction(minted, payer, token.AuthorityType.MintTokens, null, [], programId),
  );
  transaction.sign(signer, mint);
  const raw = transaction.serialize().toString('base64');
  return { raw, signature: bs58.encode(transaction.signature ?? Buffer.alloc(0)), lastValidBlockHeight };
}

function dataOf({ name = DEFAULT_NAME, uri = '' }: MintRequest) {
  return { name, symbol: SYMBOL, uri };
}

import { z } from 'zod';
import { defineJobType } from './job-type';

export const CHAINS = ['solana', 'polygon'] as const;
export type Chain = (typeof CHAINS)[number];

/** Becomes part of an idempotency key and of the token's identity. */
const label = z
  .string()
  .min(1)
  .max(60)
  .regex(/^[^\p{Cc}]+$/u, 'contains control characters');

/** Metaplex' limits for names and addresses of metadata, which wallets keep to on other chains too. */
const MAX_NAME_BYTES = 32;
const MAX_URI_LENGTH = 200;

const metadata = z.looseObject({
  /** On the token, for everybody to see and for ever: nothing personal. */
  name: z
    .string()
    .min(1)
    .refine((name) => Buffer.byteLength(name) <= MAX_NAME_BYTES, `has more than ${MAX_NAME_BYTES} bytes`)
    .exactOptional(),
  /** Where wallets read the rest. */
  uri: z
    .url({ protocol: /^(https|ipfs|ar)$/ })
    .max(MAX_URI_LENGTH)
    .exactOptional(),
});

const payload = z.strictObject({
  eventId: z.uuid(),
  ticketId: label,
  seatId: label.optional(),
  userId: z.uuid(),
  venueId: z.uuid(),
  /** Left out, the configured one. */
  chain: z.enum(CHAINS).optional(),
  /** The owner's address on that chain; left out, our signer keeps the token for the user. */
  recipient: z
    .string()
    .regex(/^(0x[0-9a-fA-F]{40}|[1-9A-HJ-NP-Za-km-z]{32,44})$/, 'is an address of neither chain')
    .optional()
    .meta({ examples: ['0x70997970C51812dc3A010C7d01b50e0d17dc79C8'] }),
  metadata: metadata.default({}),
});

const result = z.strictObject({
  ticketId: z.string(),
  chain: z.enum(CHAINS),
  /** The token's own address; on Polygon that of the contract, which tells tokens apart by `tokenId`. */
  mintAddress: z.string(),
  tokenId: z.string().optional(),
  transactionSignature: z.string(),
  metadata,
  mintedAt: z.iso.datetime(),
});

export type MintPayload = z.infer<typeof payload>;
export type MintResult = z.infer<typeof result>;

/** Makes a ticket a token on a chain, once. */
export const nftMint = defineJobType({
  name: 'nft-mint',
  queue: 'money',
  priority: 7,
  concurrency: 3,
  timeoutMs: 120_000,
  uses: { by: 'chain', among: { polygon: 'polygon', solana: 'solana' } },
  submittableBy: ['service', 'admin'],
  payload,
  result,
  defaultKey: ({ eventId, seatId, ticketId }) => `nft-${eventId}-${seatId ?? ticketId}`,
});

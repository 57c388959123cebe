/** What is the same for every chain on which tickets are minted. */
import type { PlainAnswer, PlainLookup, Trouble } from './answer';

/** Whose token it is that is minted: the same ticket never has a second one, whatever asks for it. */
export interface TicketIdentity {
  eventId: string;
  ticketId: string;
}

export interface MintRequest extends TicketIdentity {
  /** Address on the chain; the signer's own when left out. */
  recipient: string | undefined;
  name: string | undefined;
  uri: string | undefined;
}

/** Where the token of a ticket is; known before it is minted. */
export interface TokenPlace {
  mintAddress: string;
  /** Null where each token has an address of its own. */
  tokenId: string | null;
}

export interface Mint extends TokenPlace {
  transactionSignature: string;
}

export interface MintCall {
  /** Under which a signed transaction is recorded before it is sent. The same key brings back the same transaction. */
  providerKey: string;
  /** From the start of the call to its answer. */
  timeoutMs: number;
  /** Ends the call at once. What was recorded stays, and is sent by whoever asks next. */
  signal: AbortSignal;
}

/**
 * Both resolve with an answer and never reject. Process killed before the signed transaction was recorded: nothing
 * happened. Killed after it: the same key finds it, and sends that same transaction.
 */
export interface MintAdapter {
  locate(ticket: TicketIdentity): Promise<TokenPlace>;
  mint(request: MintRequest, call: MintCall): Promise<PlainAnswer<Mint>>;
  /** Whether the token of this ticket is there. */
  find(request: MintRequest, call: MintCall): Promise<PlainLookup<Mint>>;
}

/** Chains take minutes when they are busy, and an hour when something is wrong; a day later somebody should look. */
const UNDER_WAY_WITHIN_MS = 24 * 60 * 60 * 1_000;

type UnknownAnswer = Extract<PlainAnswer<never>, { kind: 'unknown' }>;

/** The transaction is recorded, so it is neither lost nor made a second time: it is only not final yet. */
export function underWay(code: string, message: string, againMs: number, trouble?: Trouble): UnknownAnswer {
  return {
    kind: 'unknown',
    code,
    message,
    underWay: { againMs, withinMs: UNDER_WAY_WITHIN_MS },
    ...(trouble === undefined ? {} : { trouble }),
  };
}

/** A look at the signed transactions that are recorded, before anything may be told of what is under way. */
export const RECORDS_AWAY = underWay('RECORDS_UNAVAILABLE', 'the record of signed transactions cannot be used', 5_000);

/** The attempt is over. What was recorded is found by the next. */
export const STOPPED_ANSWER = underWay('STOPPED', 'nobody waited for the answer', 1_000, 'unheard');

type DeclinedAnswer = Extract<PlainAnswer<never>, { kind: 'declined' }>;

export const INVALID_RECIPIENT: DeclinedAnswer = {
  kind: 'declined',
  code: 'INVALID_RECIPIENT',
  message: 'the recipient is no address on this chain',
  aboutKey: true,
};

export const MINTED_FOR_ANOTHER: DeclinedAnswer = {
  kind: 'declined',
  code: 'ALREADY_MINTED',
  message: "the ticket's token was minted for another owner",
  aboutKey: true,
};

export const REVERTED: DeclinedAnswer = {
  kind: 'declined',
  code: 'TRANSACTION_REVERTED',
  message: 'the transaction is in a block and did nothing',
  aboutKey: true,
};

const STOPPED = { kind: 'stopped' } as const;

/** Resolves with what `work` answers, or as soon as the time is over or the signal aborts; `work` is told by `over`. */
export async function withinCall<Answer>(
  { timeoutMs, signal }: Pick<MintCall, 'timeoutMs' | 'signal'>,
  work: (over: AbortSignal) => Promise<Answer>,
): Promise<Answer | typeof STOPPED> {
  const over = new AbortController();
  const stop = () => over.abort();
  const timer = setTimeout(stop, timeoutMs);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const stopped = new Promise<typeof STOPPED>((resolve) => {
    over.signal.addEventListener('abort', () => resolve(STOPPED), { once: true });
    if (over.signal.aborted) resolve(STOPPED);
  });
  try {
    return await Promise.race([work(over.signal), stopped]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

/**
 * Nonces of each signer, and every transaction that was signed, before it is sent. A nonce is given out in the
 * transaction that records what is signed with it: so none is ever given out for nothing, and whatever crashes, there is
 * something to send for each.
 */
import { isUniqueViolation } from '../../platform/postgres/errors';
import type { Database, Queryable } from '../../platform/postgres/database';

export interface Signed {
  hash: string;
  raw: string;
}

export interface RecordedTransaction extends Signed {
  /** `<chain id>:<address>`. */
  signer: string;
  nonce: number;
  /** Rises with each replacement under the same nonce. */
  version: number;
  ageMs: number;
}

/** Every version of what was signed under a key, oldest first. */
export async function findTransactions(database: Queryable, mintKey: string): Promise<RecordedTransaction[]> {
  const rows = await database.query<Row>(
    { name: 'evm-by-key', text: `${SELECT} WHERE mint_key = $1 ORDER BY nonce, version` },
    [mintKey],
  );
  return rows.map(toRecorded);
}

/** Every version of what was signed with a nonce, oldest first. */
export async function transactionsAt(
  database: Queryable,
  signer: string,
  nonce: number,
): Promise<RecordedTransaction[]> {
  const rows = await database.query<Row>(
    { name: 'evm-by-nonce', text: `${SELECT} WHERE signer = $1 AND nonce = $2 ORDER BY version` },
    [signer, nonce],
  );
  return rows.map(toRecorded);
}

/**
 * Gives out the signer's next nonce and records what is signed with it; nobody else gets one meanwhile. What another
 * attempt has recorded under the key by then counts instead.
 * @param atLeast nonces below are used, as the chain knows
 * @param sign takes no time but the processor's
 */
export async function recordNext(
  database: Database,
  { signer, mintKey, atLeast }: { signer: string; mintKey: string; atLeast: number },
  sign: (nonce: number) => Promise<Signed>,
): Promise<RecordedTransaction[]> {
  try {
    return await database.transaction(async (tx) => {
      const [line] = await tx.query<{ next: string }>(TAKE, [signer, atLeast]);
      const known = await findTransactions(tx, mintKey);
      if (known.length > 0) return known;
      const nonce = Number(line?.next);
      const { hash, raw } = await sign(nonce);
      await tx.query(INSERT, [signer, nonce, 1, mintKey, hash, raw]);
      await tx.query({ text: 'UPDATE nonces SET next = next + 1 WHERE signer = $1' }, [signer]);
      return [{ signer, nonce, version: 1, hash, raw, ageMs: 0 }];
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    return findTransactions(database, mintKey);
  }
}

/** Records a replacement; answers with what counts now, which may be somebody else's. */
export async function recordReplacement(
  database: Queryable,
  { signer, nonce, version }: RecordedTransaction,
  { hash, raw }: Signed,
): Promise<RecordedTransaction[]> {
  await database.query(REPLACE, [signer, nonce, version, version + 1, hash, raw]);
  return transactionsAt(database, signer, nonce);
}

interface Row {
  signer: string;
  nonce: string;
  version: number;
  hash: string;
  raw: string;
  age_ms: number;
}

function toRecorded({ nonce, age_ms: ageMs, ...row }: Row): RecordedTransaction {
  return { ...row, nonce: Number(nonce), ageMs };
}

const SELECT = `
  SELECT signer, nonce, version, hash, raw, (EXTRACT(epoch FROM now() - created_at) * 1000)::float8 AS age_ms
  FROM evm_transactions`;

/** Holds the signer's row until the transaction ends. */
const TAKE = {
  name: 'nonce-take',
  text: `
    INSERT INTO nonces AS n (signer, next) VALUES ($1, $2)
    ON CONFLICT (signer) DO UPDATE SET next = GREATEST(n.next, EXCLUDED.next)
    RETURNING next`,
};

const INSERT = {
  name: 'evm-record',
  text: `INSERT INTO evm_transactions (signer, nonce, version, mint_key, hash, raw) VALUES ($1, $2, $3, $4, $5, $6)`,
};

const REPLACE = {
  name: 'evm-replace',
  text: `
    INSERT INTO evm_transactions (signer, nonce, version, mint_key, hash, raw)
    SELECT signer, nonce, $4, mint_key, $5, $6 FROM evm_transactions WHERE signer = $1 AND nonce = $2 AND version = $3
    ON CONFLICT (signer, nonce, version) DO NOTHING`,
};

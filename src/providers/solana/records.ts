/**
 * Every transaction that was signed, before it is sent. One is signed anew only when the one before it can no longer get
 * into a block: then it has the next version, under the same key.
 */
import type { Queryable } from '../../platform/postgres/database';

export interface Signed {
  signature: string;
  /** Base64. */
  raw: string;
  /** No block above this height takes it. */
  lastValidBlockHeight: number;
}

export interface RecordedTransaction extends Signed {
  version: number;
}

/** Every version of what was signed under a key, oldest first. */
export async function findTransactions(database: Queryable, mintKey: string): Promise<RecordedTransaction[]> {
  const rows = await database.query<Row>(FIND, [mintKey]);
  return rows.map(({ last_valid_block_height, ...row }) => ({
    ...row,
    lastValidBlockHeight: Number(last_valid_block_height),
  }));
}

/** Records what was signed as the next version; answers with all that count now, as somebody else may have been first. */
export async function recordTransaction(
  database: Queryable,
  { mintKey, version }: { mintKey: string; version: number },
  { signature, raw, lastValidBlockHeight }: Signed,
): Promise<RecordedTransaction[]> {
  await database.query(RECORD, [mintKey, version, signature, raw, lastValidBlockHeight]);
  return findTransactions(database, mintKey);
}

interface Row {
  version: number;
  signature: string;
  raw: string;
  last_valid_block_height: string;
}

const FIND = {
  name: 'solana-by-key',
  text: `
    SELECT version, signature, raw, last_valid_block_height FROM solana_transactions
    WHERE mint_key = $1 ORDER BY version`,
};

const RECORD = {
  name: 'solana-record',
  text: `
    INSERT INTO solana_transactions (mint_key, version, signature, raw, last_valid_block_height)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (mint_key, version) DO NOTHING`,
};

import type { Knex } from 'knex';

/**
 * Every transaction that was signed for Solana, before it is sent. The next version under a key is signed only when no
 * block can take the one before it any more.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE solana_transactions (
      mint_key text NOT NULL,
      version integer NOT NULL CHECK (version >= 1),
      signature text NOT NULL,
      raw text NOT NULL,
      last_valid_block_height bigint NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (mint_key, version)
    );
    COMMENT ON COLUMN solana_transactions.mint_key IS 'provider key of the effect: job, effect, number';
    COMMENT ON COLUMN solana_transactions.raw IS 'signed, as it is sent, in base64';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE solana_transactions;');
}
